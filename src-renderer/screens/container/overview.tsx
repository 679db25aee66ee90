import type { ContainerDetails, ContainerView } from '../../../src-main/contract/engine.ts';
import { Facts, type Fact } from '../../components/facts.tsx';
import { Notice } from '../../components/notice.tsx';
import { PortLink } from '../../components/port-links.tsx';
import { distinctPorts } from '../../../src-main/contract/ports.ts';
import { formatBytes, formatTime } from '../../format/quantities.ts';
import { readLimits, readMounts } from './raw-inspect.ts';
import type { Details } from './use-details.ts';

/** The container in facts: when it ran, how it ended, what it may use and what it was given. */
export function Overview({ container, details }: { container: ContainerView; details: Details }) {
  const { value, problem } = details;
  const ports = distinctPorts(container.ports);
  return (
    <div className="page-body scroll" tabIndex={0}>
      {problem === undefined ? null : (
        <Notice tone="warn">
          <p>{problem}</p>
        </Notice>
      )}
      {value && value.error !== '' ? (
        <Notice tone="bad">
          <p>{value.error}</p>
        </Notice>
      ) : null}
      {value?.oomKilled ? (
        <Notice tone="bad">
          <p>Killed for lack of memory.</p>
          <p>It reached its memory limit. Run it with a higher one, or find what uses so much.</p>
        </Notice>
      ) : null}
      <section>
        <h2>About</h2>
        <Facts facts={aboutFacts(container, value)} />
      </section>
      {ports.length === 0 ? null : (
        <section>
          <h2>Ports</h2>
          <ul className="port-list">
            {ports.map((port) => (
              <li key={`${port.hostPort ?? ''}:${port.containerPort}/${port.protocol}`}>
                <PortLink port={port} />
                <span className="quiet">
                  {port.hostPort === undefined
                    ? `${port.protocol.toUpperCase()}, not published`
                    : `${port.protocol.toUpperCase()} on ${port.hostIp ?? 'this computer'}`}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {value ? (
        <>
          <section>
            <h2>Limits</h2>
            <Facts facts={limitFacts(value)} />
          </section>
          <Environment details={value} />
        </>
      ) : null}
    </div>
  );
}

function aboutFacts(container: ContainerView, value: ContainerDetails | undefined): Fact[] {
  const ended = value !== undefined && value.finishedAtMs > 0 && container.state !== 'running';
  return [
    { name: 'Image', value: container.image },
    { name: 'Command', value: container.command, mono: true },
    { name: 'ID', value: container.id, mono: true },
    { name: 'Created', value: formatTime(container.createdAtMs) },
    { name: 'Started', value: value && value.startedAtMs > 0 ? formatTime(value.startedAtMs) : '' },
    { name: 'Ended', value: ended ? `${formatTime(value.finishedAtMs)}, exit code ${value.exitCode}` : '' },
    { name: 'Address', value: value?.ipAddress ?? '', mono: true },
    { name: 'User', value: value?.user ?? '' },
    { name: 'Folder', value: value?.workingFolder ?? '', mono: true },
    { name: 'Terminal', value: value?.tty ? 'yes' : '' },
    { name: 'Mounts', value: value ? readMounts(value.raw).join('\n') : '', mono: true },
  ];
}

function limitFacts(value: ContainerDetails): Fact[] {
  const { memoryBytes, cpus, pids } = readLimits(value.raw);
  return [
    { name: 'Memory', value: memoryBytes === undefined ? 'no limit' : formatBytes(memoryBytes) },
    { name: 'CPUs', value: cpus === undefined ? 'no limit' : String(cpus) },
    { name: 'Processes', value: pids === undefined ? 'no limit' : String(pids) },
    { name: 'Restart', value: value.restartPolicy === '' ? 'no' : value.restartPolicy },
  ];
}

function Environment({ details }: { details: ContainerDetails }) {
  if (details.environment.length === 0) return null;
  const facts = details.environment.map((text): Fact => {
    const at = text.indexOf('=');
    return at === -1
      ? { name: text, value: ' ', mono: true }
      : { name: text.slice(0, at), value: text.slice(at + 1) || ' ', mono: true };
  });
  return (
    <section className="environment">
      <h2>Environment</h2>
      <Facts facts={facts} />
    </section>
  );
}
