import type { ComponentProps, ReactNode } from 'react';
import { LoaderCircle, type LucideIcon } from 'lucide-react';
import { Tooltip } from 'radix-ui';

type ButtonProps = ComponentProps<'button'> & {
  readonly tone?: 'plain' | 'primary' | 'danger' | 'ghost';
  readonly small?: boolean;
  readonly icon?: LucideIcon;
  /** Shows a spinner in the icon's place and takes no clicks. */
  readonly busy?: boolean;
};

export function Button({
  tone = 'plain',
  small,
  icon: Icon,
  busy,
  children,
  className,
  disabled,
  ...rest
}: ButtonProps) {
  const classes = ['button', tone, small ? 'small' : '', className ?? ''].filter(Boolean).join(' ');
  return (
    <button type="button" className={classes} disabled={disabled === true || busy === true} {...rest}>
      {busy ? <LoaderCircle className="icon spin" aria-hidden /> : Icon ? <Icon className="icon" aria-hidden /> : null}
      {children}
    </button>
  );
}

type IconButtonProps = Omit<ComponentProps<'button'>, 'children'> & {
  readonly icon: LucideIcon;
  /** The accessible name and the tooltip. */
  readonly label: string;
  readonly shortcut?: string;
  readonly busy?: boolean;
  readonly bad?: boolean;
  /** The browser's own tooltip: for buttons that come by the hundred, where a richer one would cost. */
  readonly plain?: boolean;
};

export function IconButton({ plain, label, shortcut, ...rest }: IconButtonProps) {
  if (plain) {
    return <BareIconButton label={label} title={shortcut === undefined ? label : `${label} (${shortcut})`} {...rest} />;
  }
  return (
    <Tip label={label} {...(shortcut === undefined ? {} : { shortcut })}>
      <BareIconButton label={label} {...rest} />
    </Tip>
  );
}

function BareIconButton({
  icon: Icon,
  label,
  busy,
  bad,
  className,
  ...rest
}: Omit<IconButtonProps, 'plain' | 'shortcut'>) {
  return (
    <button
      type="button"
      className={['icon-button', bad ? 'bad' : '', className ?? ''].filter(Boolean).join(' ')}
      aria-label={label}
      {...rest}
    >
      {busy ? <LoaderCircle className="icon spin" aria-hidden /> : <Icon className="icon" aria-hidden />}
    </button>
  );
}

function Tip({ label, shortcut, children }: { label: ReactNode; shortcut?: string; children: ReactNode }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="tip" sideOffset={6} collisionPadding={8}>
          {label}
          {shortcut === undefined ? null : <kbd>{shortcut}</kbd>}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
