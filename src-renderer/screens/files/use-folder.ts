import { useCallback } from 'react';
import type { ChangesView, FilePlace, FolderView } from '../../../src-main/contract/files.ts';
import { host } from '../../bridge.ts';
import { useRead, type Read } from '../../components/use-read.ts';

/** @param place must stay the same object for as long as it means the same */
export function useFolder(place: FilePlace, path: string): Read<FolderView> {
  return useRead(useCallback((signal) => host.call('files.list', { place, path }, signal), [place, path]));
}

export function useChanges(id: string): Read<ChangesView> {
  return useRead(useCallback((signal) => host.call('files.changes', { id }, signal), [id]));
}
