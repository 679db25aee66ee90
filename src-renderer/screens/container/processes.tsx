import { useEffect, useState } from 'react';
import type { ContainerView, ProcessList } from '../../../src-main/contract/engine.ts';
import { host } from '../../bridge.ts';
import { Empty } from '../../components/empty.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { formatCount } from '../../format/quantities.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { useEngineReady } from '../../stores/vm.ts';

const refreshMs = 2000;
/** Enough for a reader; a container that starts thousands does not fill the page with them. */
const maxRows = 1000;
const numbers = new Set(['PID', 'PPID', '%CPU', '%MEM', 'VSZ', 'RSS', 'C']);

/** The container's processes, read anew every two seconds while looked at. */
export function Processes({ container }: { container: ContainerView }) {
  const running = container.state === 'running' || container.state === 'paused';
  const { list, problem } = useProcesses(container.id, running);
  if (!running) {
    return (
      <Empty title="No processes">
        <p>The container does not run.</p>
      </Empty>
    );
  }
  if (!list) return problem === undefined ? null : <Problem text={problem} />;
  return (
    <div className="page-body scroll" tabIndex={0}>
      {problem === undefined ? null : <Problem text={problem} />}
      <table className="plain-table" aria-label="Processes">
        <thead>
          <tr>
            {list.titles.map((title) => (
              <th key={title} scope="col" className={numbers.has(title) ? 'end' : ''}>
                <Outside text={title} limit={40} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {list.rows.slice(0, maxRows).map((row, index) => (
            <tr key={index}>
              {list.titles.map((title, column) => (
                <td key={title} className={numbers.has(title) ? 'end' : ''}>
                  <Outside text={row[column] ?? ''} limit={2000} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {list.rows.length > maxRows ? (
        <p className="hint">and {formatCount(list.rows.length - maxRows, 'more process', 'more processes')}</p>
      ) : null}
    </div>
  );
}

function Problem({ text }: { text: string }) {
  return (
    <Notice tone="warn">
      <p>{text}</p>
    </Notice>
  );
}

function useProcesses(id: string, running: boolean): { readonly list?: ProcessList; readonly problem?: string } {
  const ready = useEngineReady();
  const [state, setState] = useState<{ readonly list?: ProcessList; readonly problem?: string }>({});
  useEffect(() => {
    if (!ready || !running) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      try {
        if (!document.hidden) setState({ list: await host.call('containers.top', { id }, abort.signal) });
      } catch (error) {
        if (!abort.signal.aborted) setState((before) => ({ ...before, problem: errorText(error) }));
      }
      if (!abort.signal.aborted) timer = setTimeout(() => void read(), refreshMs);
    };
    void read();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [id, running, ready]);
  return state;
}
