import { Copy, EllipsisVertical, Link } from 'lucide-react';
import type { NetworkMember, NetworkView } from '../../../src-main/contract/networks.ts';
import { copyText } from '../../actions/links.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { ContainerStateMark } from '../../components/container-state.tsx';
import { Empty } from '../../components/empty.tsx';
import { Facts } from '../../components/facts.tsx';
import { Menu } from '../../components/menu.tsx';
import { ObjectPage } from '../../components/object-page.tsx';
import { Outside } from '../../components/text.tsx';
import { formatCount, formatTime } from '../../format/quantities.ts';
import { linkOf, navigate } from '../../stores/navigation.ts';
import { useNetworks } from '../../stores/objects.ts';

/** One network: its addresses, and who is on it. */
export function NetworkScreen({ id }: { id: string }) {
  const network = useNetworks((state) => state.value?.find((view) => view.id === id));
  const known = useNetworks((state) => state.value !== undefined);
  if (!network) {
    if (!known) return null;
    return (
      <Empty
        title="This network is gone"
        actions={<Button onClick={() => navigate({ screen: 'networks' })}>All networks</Button>}
      >
        <p>It was removed here or elsewhere.</p>
      </Empty>
    );
  }
  return (
    <ObjectPage
      place="networks"
      title={network.name}
      note={formatCount(network.members.length, 'container')}
      inspect={(signal) => host.call('networks.inspect', { id }, signal).then(({ raw }) => raw)}
      actions={
        <Menu
          entries={[
            { label: 'Copy ID', icon: Copy, run: () => void copyText(id, 'the network’s ID') },
            { label: 'Copy link', icon: Link, run: () => void copyText(linkOf('networks', network.name), 'the link') },
          ]}
          trigger={
            <button type="button" className="icon-button" aria-label="More actions">
              <EllipsisVertical className="icon" aria-hidden />
            </button>
          }
        />
      }
    >
      <About network={network} />
      <Members network={network} />
    </ObjectPage>
  );
}

function About({ network }: { network: NetworkView }) {
  const pairs = (record: Readonly<Record<string, string>>) =>
    Object.entries(record)
      .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
      .join('\n');
  return (
    <section>
      <h2>About</h2>
      <Facts
        facts={[
          { name: 'ID', value: network.id, mono: true },
          { name: 'Driver', value: network.driver },
          { name: 'Reach', value: reachOf(network) },
          { name: 'Subnet', value: network.subnets.map(({ subnet }) => subnet).join('\n'), mono: true },
          { name: 'Gateway', value: network.subnets.map(({ gateway }) => gateway).join('\n'), mono: true },
          { name: 'Created', value: formatTime(network.createdAtMs) },
          { name: 'Labels', value: pairs(network.labels), mono: true },
          { name: 'Options', value: pairs(network.options), mono: true },
        ]}
      />
    </section>
  );
}

function reachOf({ driver, internal }: NetworkView): string {
  if (driver === 'host') return 'The engine’s own network, without isolation';
  if (driver === 'null') return 'Nothing: containers on it have no network';
  return internal ? 'The containers on it, and nothing outside' : 'The containers on it, and the outside';
}

function Members({ network: { members } }: { network: NetworkView }) {
  return (
    <section>
      <h2>Containers</h2>
      {members.length === 0 ? (
        <p className="quiet">No container is on it.</p>
      ) : (
        <ul className="links">
          {members.map((member) => (
            <Member key={member.id} member={member} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Member({ member: { id, name, state, ipAddress, macAddress, aliases } }: { member: NetworkMember }) {
  return (
    <li>
      <button type="button" onClick={() => navigate({ screen: 'container', id, tab: 'overview' })}>
        <Outside text={name} className="strong" />
        <ContainerStateMark id={id} state={state} status="" />
        <Outside text={ipAddress === '' ? 'no address' : ipAddress} className="mono" />
        <Outside text={[macAddress, ...aliases].filter(Boolean).join(' · ')} className="quiet" />
      </button>
    </li>
  );
}
