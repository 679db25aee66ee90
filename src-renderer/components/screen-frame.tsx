import type { ReactNode } from 'react';

interface ScreenFrameProps {
  readonly title: ReactNode;
  readonly summary?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** Title, what there is in a few words, actions; below it the screen's own. */
export function ScreenFrame({ title, summary, actions, children }: ScreenFrameProps) {
  return (
    <div className="screen">
      <header className="screen-head">
        <h1>{title}</h1>
        <p className="quiet">{summary}</p>
        <div className="actions">{actions}</div>
      </header>
      <div className="screen-body">{children}</div>
    </div>
  );
}
