import type { ReactNode } from 'react';
import { X } from 'lucide-react';
import { AlertDialog, Dialog as Radix } from 'radix-ui';
import { Button } from './button.tsx';
import { useReturnFocus } from './return-focus.ts';

interface DialogProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly wide?: boolean;
  /** It is long and holds no control: arrow keys scroll it. */
  readonly reading?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Stays in place while the body scrolls. */
  readonly footer?: ReactNode;
}

/** A dialog that is open for as long as it is rendered. Focus goes to the first control, and back when it closes. */
export function Dialog({ title, description, wide, reading, onClose, children, footer }: DialogProps) {
  const returnFocus = useReturnFocus();
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="overlay" />
        <Radix.Content
          className={wide ? 'dialog wide' : 'dialog'}
          onOpenAutoFocus={focusFirstField}
          onCloseAutoFocus={returnFocus}
          {...(description === undefined ? { 'aria-describedby': undefined } : {})}
        >
          <header>
            <div>
              <Radix.Title>{title}</Radix.Title>
              {description === undefined ? null : (
                <Radix.Description className="quiet">{description}</Radix.Description>
              )}
            </div>
            <Radix.Close className="icon-button" aria-label="Close">
              <X className="icon" aria-hidden />
            </Radix.Close>
          </header>
          <div className="dialog-body scroll" {...(reading === true ? { tabIndex: 0 } : {})}>
            {children}
          </div>
          {footer === undefined ? null : <footer>{footer}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** What is to be filled in comes before the button that closes. */
function focusFirstField(event: Event): void {
  const content = event.target instanceof HTMLElement ? event.target : undefined;
  const field = content?.querySelector<HTMLElement>('.dialog-body :is(input, select, textarea):not([readonly])');
  if (!field) return;
  event.preventDefault();
  field.focus();
}

interface ConfirmProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly confirm: string;
  readonly danger?: boolean;
  readonly busy?: boolean;
  /** There is nothing to confirm (yet). */
  readonly disabled?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** A question before something that cannot be taken back. Cancel has the focus. */
export function ConfirmDialog(props: ConfirmProps) {
  const { title, children, confirm, danger, busy, disabled, onConfirm, onClose } = props;
  const returnFocus = useReturnFocus();
  return (
    <AlertDialog.Root open onOpenChange={(open) => !open && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="overlay" />
        <AlertDialog.Content className="dialog narrow" onCloseAutoFocus={returnFocus}>
          <header>
            <AlertDialog.Title>{title}</AlertDialog.Title>
          </header>
          <AlertDialog.Description asChild>
            <div className="dialog-body scroll">{children}</div>
          </AlertDialog.Description>
          <footer>
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <Button
              tone={danger ? 'danger' : 'primary'}
              busy={busy === true}
              disabled={disabled === true}
              onClick={onConfirm}
            >
              {confirm}
            </Button>
          </footer>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
