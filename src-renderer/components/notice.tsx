import type { ReactNode } from 'react';
import { CircleAlert, Info, TriangleAlert } from 'lucide-react';

const icons = { info: Info, warn: TriangleAlert, bad: CircleAlert };

export function Notice({
  tone,
  children,
  action,
}: {
  tone: 'info' | 'warn' | 'bad';
  children: ReactNode;
  action?: ReactNode;
}) {
  const Icon = icons[tone];
  return (
    <div className={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon className="icon" aria-hidden />
      <div className="body">{children}</div>
      {action}
    </div>
  );
}
