/** Which dialog is open: one at a time, from anywhere (a button, a key, the palette). */
import { create } from 'zustand';
import type { FilePlace } from '../../src-main/contract/files.ts';

export type DialogState =
  | { readonly kind: 'pull'; readonly reference?: string; readonly taskId?: string }
  | { readonly kind: 'search-images'; readonly term?: string }
  | { readonly kind: 'push'; readonly tags?: readonly string[]; readonly taskId?: string }
  | { readonly kind: 'build'; readonly taskId?: string }
  | { readonly kind: 'run'; readonly image?: string }
  | { readonly kind: 'remove-containers'; readonly ids: readonly string[] }
  | { readonly kind: 'remove-image'; readonly id: string }
  | { readonly kind: 'tag-image'; readonly id: string }
  | { readonly kind: 'prune-images' }
  | { readonly kind: 'create-volume' }
  | { readonly kind: 'remove-volumes'; readonly names: readonly string[] }
  | { readonly kind: 'prune-volumes' }
  | { readonly kind: 'clone-volume'; readonly name: string }
  | { readonly kind: 'import-volume'; readonly file: File }
  | { readonly kind: 'create-network' }
  | { readonly kind: 'remove-networks'; readonly id?: string }
  | { readonly kind: 'connect-container'; readonly id: string }
  | { readonly kind: 'disconnect-container'; readonly id: string; readonly containerId: string }
  | { readonly kind: 'log-in'; readonly server?: string; readonly username?: string }
  | { readonly kind: 'browse-registry' }
  | { readonly kind: 'remove-login'; readonly server: string }
  | { readonly kind: 'activity' }
  | {
      readonly kind: 'view-file';
      readonly place: FilePlace;
      readonly path: string;
      readonly onFolder: (path: string) => void;
      readonly onSaved: () => void;
    }
  | { readonly kind: 'rename'; readonly id: string }
  | { readonly kind: 'edit-container'; readonly id: string }
  | { readonly kind: 'stop-engine'; readonly restart: boolean }
  | { readonly kind: 'reset-engine' }
  | { readonly kind: 'shortcuts' }
  | { readonly kind: 'palette' };

export const useDialog = create<{ readonly dialog: DialogState | undefined }>(() => ({ dialog: undefined }));

export function openDialog(dialog: DialogState): void {
  useDialog.setState({ dialog });
}

export function closeDialog(): void {
  useDialog.setState({ dialog: undefined });
}

/** For what a dialog has begun: closes it at the end, and not one that was opened meanwhile in its place. */
export function dialogCloser(): () => void {
  const { dialog } = useDialog.getState();
  return () => {
    if (useDialog.getState().dialog === dialog) closeDialog();
  };
}
