import { Check, Undo2 } from 'lucide-react';
import type { ContainerView } from '../../../src-main/contract/engine.ts';
import { keptFor, settleEdit, useSettling } from '../../actions/edit-container.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { useContainers } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';

/** Until the user says that the edited container is right, the old one is a click away. */
export function EditedNotice({ container }: { container: ContainerView }) {
  const kept = useContainers((state) => keptFor(container, state.value ?? []));
  const settling = useSettling((state) => state.ids.has(container.id));
  const ready = useEngineReady();
  if (!kept) return null;
  return (
    <div className="edited-notice">
      <Notice
        tone="info"
        action={
          <div className="row">
            <Button small icon={Undo2} disabled={!ready || settling} onClick={() => void settleEdit(container, 'back')}>
              Go back
            </Button>
            <Button
              small
              tone="primary"
              icon={Check}
              busy={settling}
              disabled={!ready}
              onClick={() => void settleEdit(container, 'keep')}
            >
              Keep the change
            </Button>
          </div>
        }
      >
        <p>This container was edited. Is it right?</p>
        <p>The one before is kept as {visibleText(kept.name, 80)} until you keep the change, which removes it.</p>
      </Notice>
    </div>
  );
}
