import type { PortView } from '../../src-main/contract/engine.ts';
import { openLink } from '../actions/links.ts';
import { distinctPorts, portUrl } from '../../src-main/contract/ports.ts';

export function PortLinks({ ports }: { ports: readonly PortView[] }) {
  const distinct = distinctPorts(ports);
  return (
    <span className="ports">
      {distinct.slice(0, 2).map((port) => (
        <PortLink key={`${port.hostPort ?? ''}:${port.containerPort}/${port.protocol}`} port={port} />
      ))}
      {distinct.length > 2 ? <span className="faint">+{distinct.length - 2}</span> : null}
    </span>
  );
}

export function PortLink({ port }: { port: PortView }) {
  const url = portUrl(port);
  const inside = `${port.containerPort}${port.protocol === 'udp' ? '/udp' : ''}`;
  if (url === undefined) {
    const text = port.hostPort === undefined ? inside : `${port.hostPort}→${inside}`;
    return (
      <span className="chip" title={port.hostPort === undefined ? 'Exposed, not published' : 'Published'}>
        {text}
      </span>
    );
  }
  return (
    <a
      className="chip"
      href={url}
      title={`Open ${url}`}
      onClick={(event) => {
        event.preventDefault();
        void openLink(url);
      }}
    >
      {port.hostPort === port.containerPort ? inside : `${port.hostPort ?? ''}→${inside}`}
    </a>
  );
}
