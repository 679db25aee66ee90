/** Wherry's mark: a gaff sail and jib over a small hull. Drawn for this app; decorative wherever the name stands beside it. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 48 48" aria-hidden="true" focusable="false">
      <path d="M22 4.500c10 3.600 16 12 16.800 23.500H22z" className="logo-sail" />
      <path d="M19 10.500V28h-8c.8-7.200 3.600-12.800 8-17.500z" className="logo-jib" />
      <path
        d="M4.500 31.500h39c-2 6-6.500 9.500-12.500 9.500H17C11 41 6.500 37.500 4.500 31.500z"
        className="logo-hull"
      />
    </svg>
  );
}
