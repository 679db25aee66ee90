import { useState } from 'react';
import { toErrorView, type ErrorView } from '../../../src-main/contract/errors.ts';
import { host } from '../../bridge.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes, formatCount, shortId } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog, dialogCloser } from '../../stores/dialogs.ts';
import { navigate, useRoute } from '../../stores/navigation.ts';
import { useContainers, useImages } from '../../stores/objects.ts';
import { showToast } from '../../stores/toasts.ts';

/** Says what goes; an image in use says by whom, and offers force only where the engine would take it. */
export function RemoveImageDialog({ id }: { id: string }) {
  const image = useImages((state) => state.value?.find((view) => view.id === id));
  const containers = useContainers((state) => state.value);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ErrorView>();
  if (!image) return null;
  const name = visibleText(image.tags[0] ?? shortId(image.id), 80);
  const users = image.usedBy;
  const running = (containers ?? []).some(({ name: user, state }) => users.includes(user) && state === 'running');
  const remove = () => {
    const close = dialogCloser();
    setBusy(true);
    host
      .call('images.remove', { id, force: users.length > 0 || image.tags.length > 1 })
      .then(({ deleted }) => {
        showToast({ tone: 'good', title: `${deleted.length > 0 ? 'Removed' : 'Untagged'} ${name}` });
        const { route } = useRoute.getState();
        if (route.screen === 'image' && route.id === id) navigate({ screen: 'images' }, { replace: true });
        close();
      })
      .catch((error: unknown) => setProblem(toErrorView(error)))
      .finally(() => setBusy(false));
  };
  return (
    <ConfirmDialog
      title={`Remove ${name}?`}
      confirm={users.length > 0 ? 'Remove anyway' : 'Remove'}
      danger
      busy={busy}
      onConfirm={remove}
      onClose={closeDialog}
    >
      {problem ? (
        <Notice tone="bad">
          <p>{problem.message}</p>
          {problem.hint === undefined ? null : <p>{problem.hint}</p>}
        </Notice>
      ) : null}
      <p>
        Up to {formatBytes(image.sizeBytes)} come back; layers that other images share stay. You can pull it again
        later.
      </p>
      {image.tags.length > 1 ? (
        <p className="quiet">
          All its names go: <Outside text={image.tags.join(', ')} className="wrapped" />
        </p>
      ) : null}
      {users.length > 0 ? (
        <Notice tone="warn">
          <p>
            {formatCount(users.length, 'container is', 'containers are')} made from it:{' '}
            <Outside text={users.join(', ')} className="wrapped" />.
          </p>
          <p>
            {running
              ? 'A running one keeps the image; stop and remove it first.'
              : 'They keep their files but the image loses its name.'}
          </p>
        </Notice>
      ) : null}
    </ConfirmDialog>
  );
}
