/** Rows that are on their way, in the shape of a table. */
export function SkeletonRows({ count = 7 }: { count?: number }) {
  return (
    <div className="skeleton-rows" role="status" aria-label="Loading">
      {Array.from({ length: count }, (_, index) => (
        <div key={index}>
          <span className="skeleton" style={{ width: '5rem' }} />
          <span className="skeleton" style={{ width: `${9 + ((index * 5) % 6)}rem` }} />
          <span className="skeleton" style={{ width: `${7 + ((index * 3) % 5)}rem` }} />
        </div>
      ))}
    </div>
  );
}
