/** esbuild bundles style sheets; importing one has no value. */
declare module '*.css';
