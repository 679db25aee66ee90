/** Short messages about results. Errors stay until dismissed; the rest go by themselves. */
import { create } from 'zustand';
import { toErrorView } from '../../src-main/contract/errors.ts';

export interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'bad' | 'info';
  readonly title: string;
  readonly detail?: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

const maxToasts = 5;
let lastId = 0;

export const useToasts = create<{ readonly toasts: readonly Toast[] }>(() => ({ toasts: [] }));

export function showToast(toast: Omit<Toast, 'id'>): void {
  lastId += 1;
  const id = lastId;
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts, { ...toast, id }].slice(-maxToasts) }));
}

export function dismissToast(id: number): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) }));
}

/** Shows a failure with its next step; a cancellation is what the user asked for and is not shown. */
export function showError(title: string, error: unknown): void {
  const view = toErrorView(error);
  if (view.code === 'cancelled') return;
  showToast({ tone: 'bad', title, detail: view.hint === undefined ? view.message : `${view.message}. ${view.hint}` });
}
