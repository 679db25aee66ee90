import { File, FileSymlink, Folder, Plug } from 'lucide-react';
import type { FileKind } from '../../src-main/contract/files.ts';

const icons = { file: File, folder: Folder, link: FileSymlink, other: Plug };

export function FileIcon({ kind }: { kind: FileKind }) {
  const Icon = icons[kind];
  return <Icon className={kind === 'folder' ? 'icon file-icon folder' : 'icon file-icon'} aria-hidden />;
}
