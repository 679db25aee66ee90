import type { ReactNode } from 'react';

/** What a screen says when it has nothing to show: why, and what to do about it. */
export function Empty({
  picture,
  title,
  children,
  actions,
}: {
  picture?: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="empty">
      {picture === undefined ? null : <div className="picture">{picture}</div>}
      <h2>{title}</h2>
      {children}
      {actions === undefined ? null : <div className="row">{actions}</div>}
    </div>
  );
}
