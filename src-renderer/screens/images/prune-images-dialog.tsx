import { useState } from 'react';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { NameList } from '../../components/name-list.tsx';
import { Notice } from '../../components/notice.tsx';
import { Segments } from '../../components/segments.tsx';
import { formatBytes, formatCount, shortId } from '../../format/quantities.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { useImages } from '../../stores/objects.ts';
import { startPrune } from '../../stores/tasks.ts';
import { previewPrune } from './prune-preview.ts';

/** What goes and how much comes back, before it does. */
export function PruneImagesDialog() {
  const images = useImages((state) => state.value) ?? [];
  const [unused, setUnused] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { going, leastBytes, mostBytes } = previewPrune(images, unused);
  const confirm = () => {
    setBusy(true);
    startPrune(unused)
      .then(dialogCloser())
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <ConfirmDialog
      title="Clean up images"
      confirm={going.length === 0 ? 'Remove' : `Remove ${formatCount(going.length, 'image')}`}
      danger
      busy={busy}
      disabled={going.length === 0}
      onConfirm={confirm}
      onClose={closeDialog}
    >
      {problem === undefined ? null : (
        <Notice tone="bad">
          <p>{problem}</p>
        </Notice>
      )}
      <Segments
        label="What to remove"
        value={unused ? 'unused' : 'untagged'}
        onChange={(value) => setUnused(value === 'unused')}
        options={[
          { value: 'untagged', label: 'Without a name', count: previewPrune(images, false).going.length },
          { value: 'unused', label: 'All unused', count: previewPrune(images, true).going.length },
        ]}
      />
      {going.length === 0 ? (
        <p>
          Nothing to remove: {unused ? 'containers are made from every image.' : 'every image has a name or is in use.'}
        </p>
      ) : (
        <>
          <NameList
            names={going.map(({ tags, id }) => tags.join(', ') || shortId(id))}
            notes={going.map(({ sizeBytes }) => formatBytes(sizeBytes))}
          />
          <p>
            {leastBytes === mostBytes
              ? `${formatBytes(mostBytes)} come back.`
              : `Between ${formatBytes(leastBytes)} and ${formatBytes(mostBytes)} come back; layers that images you keep need stay.`}{' '}
            No container is made from these; they can be pulled again.
          </p>
        </>
      )}
    </ConfirmDialog>
  );
}
