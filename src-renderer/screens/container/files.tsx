import { useMemo } from 'react';
import type { ContainerView } from '../../../src-main/contract/engine.ts';
import { FilesView } from '../files/files-view.tsx';
import { useChanges } from '../files/use-folder.ts';

/** The container's folders, whether it runs or not, and what in them is other than in its image. */
export function Files({ container: { id } }: { container: ContainerView }) {
  const changes = useChanges(id);
  const place = useMemo(() => ({ container: id }), [id]);
  return <FilesView place={place} changes={changes} />;
}
