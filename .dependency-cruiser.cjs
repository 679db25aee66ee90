/** The arrows of the architecture. Each rule's comment says what to do instead. */
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    rule('no-cycles', 'Move what both need into a third file.', {}, { circular: true }),
    rule(
      'renderer-only-contract',
      'The renderer may import src-main/contract, and the patterns of .dockerignore, and nothing else of the host.',
      { path: '^src-renderer/' },
      { path: '^(src-main/(?!contract/)|vm/(?!contract/file-patterns)|native/|test/)' },
    ),
    rule(
      'host-contract-is-a-leaf',
      'src-main/contract imports nothing outside itself.',
      { path: '^src-main/contract/' },
      { pathNot: '^src-main/contract/' },
    ),
    rule(
      'vm-contract-is-a-leaf',
      'vm/contract imports nothing outside itself.',
      { path: '^vm/contract/' },
      { pathNot: '^vm/contract/' },
    ),
    rule(
      'host-knows-only-the-vm-contract',
      'The host talks to the agent over the Engine API; share types through vm/contract.',
      { path: '^src-main/(?!setup/)' },
      { path: '^vm/(?!contract/|image/kernel-args)' },
    ),
    rule(
      'agent-knows-no-host',
      'The agent never imports the host side.',
      { path: '^vm/' },
      { path: '^(src-main|src-renderer)/' },
    ),
    rule(
      'only-the-electron-shell-imports-electron',
      'Take what you need by parameter.',
      { path: '^(src-main/(?!electron/)|vm/|src-renderer/)' },
      { path: '(^|/)node_modules/electron/' },
    ),
    rule(
      'shells-are-the-top',
      'Only a shell or the set-up may import a shell.',
      { path: '^src-main/(?!electron/|web/|cli/|setup/)' },
      { path: '^src-main/(electron|web|cli)/' },
    ),
    rule(
      'agent-edges-only-call-use-cases',
      'http and ssh call use-cases; put the logic there.',
      { path: '^vm/agent/(http|ssh)/' },
      { path: '^vm/agent/(registry|content|snapshots|build|volumes|kernel)/' },
    ),
    rule(
      'agent-lower-layers-do-not-look-up',
      'Report upward by event or a callback parameter.',
      { path: '^vm/agent/(registry|content|snapshots|build|runtime|network|volumes|logs|state|kernel)/' },
      { path: '^vm/agent/(http|ssh|use-cases|main)' },
    ),
    rule(
      'kernel-is-the-bottom',
      'kernel/ imports nothing else of the agent.',
      { path: '^vm/agent/kernel/' },
      { path: '^vm/agent/(?!kernel/)' },
    ),
    rule(
      'no-test-in-product',
      'Tests import the product, never the other way.',
      { path: '^(src-|vm/)' },
      { path: '^test/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|build|out)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
