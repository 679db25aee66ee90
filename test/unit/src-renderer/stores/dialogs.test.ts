import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialogCloser, openDialog, useDialog } from '../../../../src-renderer/stores/dialogs.ts';

test('what a dialog began closes that dialog at its end, and not one opened meanwhile', () => {
  openDialog({ kind: 'remove-login', server: 'registry.example' });
  const close = dialogCloser();
  openDialog({ kind: 'palette' });
  close();
  assert.deepEqual(useDialog.getState().dialog, { kind: 'palette' });
  dialogCloser()();
  assert.equal(useDialog.getState().dialog, undefined);
});
