import { Component, type ReactNode } from 'react';
import { toErrorView } from '../../src-main/contract/errors.ts';
import { Button } from './button.tsx';
import { Empty } from './empty.tsx';

/** Keeps a fault in one screen from taking the window down. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <Empty
        title="This screen failed"
        actions={
          <>
            <Button tone="primary" onClick={() => this.setState({ error: undefined })}>
              Try again
            </Button>
            <Button onClick={() => location.reload()}>Reload the window</Button>
          </>
        }
      >
        <p className="mono">{toErrorView(error).message}</p>
        <p>Containers are not affected.</p>
      </Empty>
    );
  }
}
