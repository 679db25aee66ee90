import { useCallback } from 'react';
import type { ChangesView, FolderView } from '../../../src-main/contract/files.ts';
import { host } from '../../bridge.ts';
import { useRead, type Read } from '../../components/use-read.ts';

export function useFolder(id: string, path: string): Read<FolderView> {
  return useRead(useCallback((signal) => host.call('files.list', { id, path }, signal), [id, path]));
}

export function useChanges(id: string): Read<ChangesView> {
  return useRead(useCallback((signal) => host.call('files.changes', { id }, signal), [id]));
}
