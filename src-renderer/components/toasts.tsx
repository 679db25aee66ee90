import { useEffect, useRef } from 'react';
import { CircleAlert, CircleCheck, Info, X } from 'lucide-react';
import { dismissToast, useToasts, type Toast } from '../stores/toasts.ts';
import { Button } from './button.tsx';

const icons = { good: CircleCheck, bad: CircleAlert, info: Info };
const shownMs = 4500;

/** Results, read out as they come. Hovering or focusing keeps one; errors stay until dismissed. */
export function ToastList() {
  const toasts = useToasts((state) => state.toasts);
  return (
    <section className="toasts" aria-label="Messages">
      <ol aria-live="polite" aria-relevant="additions">
        {toasts.map((toast) => (
          <ToastItem key={toast.id} toast={toast} />
        ))}
      </ol>
    </section>
  );
}

function ToastItem({ toast }: { toast: Toast }) {
  const held = useRef(false);
  useEffect(() => {
    if (toast.tone === 'bad') return;
    const timer = setInterval(() => !held.current && dismissToast(toast.id), shownMs);
    return () => clearInterval(timer);
  }, [toast]);
  const hold = (value: boolean) => () => {
    held.current = value;
  };
  const Icon = icons[toast.tone];
  return (
    <li className={`toast ${toast.tone}`} onPointerEnter={hold(true)} onPointerLeave={hold(false)}>
      <Icon className="icon" aria-hidden />
      <div className="body">
        <strong>{toast.title}</strong>
        {toast.detail === undefined ? null : <p className="scroll">{toast.detail}</p>}
        {toast.action === undefined ? null : (
          <Button small onClick={toast.action.run}>
            {toast.action.label}
          </Button>
        )}
      </div>
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={() => dismissToast(toast.id)}>
        <X className="icon" aria-hidden />
      </button>
    </li>
  );
}
