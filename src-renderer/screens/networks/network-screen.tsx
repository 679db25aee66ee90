import { Cable, Trash2, Unplug } from 'lucide-react';
import type { NetworkMember, NetworkView } from '../../../src-main/contract/networks.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { ContainerStateMark } from '../../components/container-state.tsx';
import { Empty } from '../../components/empty.tsx';
import { Facts } from '../../components/facts.tsx';
import { MoreMenu } from '../../components/menu.tsx';
import { ObjectPage } from '../../components/object-page.tsx';
import { Outside } from '../../components/text.tsx';
import { formatCount, formatTime } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { useNetworks } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { canConnect, networkMenu } from './network-menu.tsx';
import { isRemovable } from './network-use.ts';
import { reachOf } from './reach.ts';

/** One network: its addresses, and who is on it. */
export function NetworkScreen({ id }: { id: string }) {
  const network = useNetworks((state) => state.value?.find((view) => view.id === id));
  const known = useNetworks((state) => state.value !== undefined);
  const ready = useEngineReady();
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
        <>
          {canConnect(network) ? (
            <Button icon={Cable} disabled={!ready} onClick={() => openDialog({ kind: 'connect-container', id })}>
              Connect
            </Button>
          ) : null}
          {network.builtIn ? null : (
            <Button
              icon={Trash2}
              disabled={!ready || !isRemovable(network)}
              onClick={() => openDialog({ kind: 'remove-networks', id })}
            >
              Remove
            </Button>
          )}
          <MoreMenu entries={networkMenu(network, ready)} />
        </>
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
          { name: 'IPv6', value: canConnect(network) ? (network.ipv6 ? 'On' : 'Off') : '' },
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

function Members({ network }: { network: NetworkView }) {
  return (
    <section>
      <h2>Containers</h2>
      {network.members.length === 0 ? (
        <p className="quiet">No container is on it.</p>
      ) : (
        <ul className="links">
          {network.members.map((member) => (
            <Member key={member.id} member={member} network={network} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Member({ member, network }: { member: NetworkMember; network: NetworkView }) {
  const { id, name, state, macAddress, aliases } = member;
  const addresses = [member.ipAddress, member.ip6Address].filter((address) => address !== '');
  const ready = useEngineReady();
  return (
    <li>
      <button type="button" onClick={() => navigate({ screen: 'container', id, tab: 'overview' })}>
        <Outside text={name} className="strong" />
        <ContainerStateMark id={id} state={state} status="" />
        <Outside text={addresses.length === 0 ? 'no address' : addresses.join(' · ')} className="mono" />
        <Outside text={[macAddress, ...aliases].filter(Boolean).join(' · ')} className="quiet" />
      </button>
      {canConnect(network) ? (
        <button
          type="button"
          className="icon-button bad"
          aria-label={`Disconnect ${visibleText(name, 80)}`}
          title="Disconnect"
          disabled={!ready}
          onClick={() => openDialog({ kind: 'disconnect-container', id: network.id, containerId: id })}
        >
          <Unplug className="icon" aria-hidden />
        </button>
      ) : null}
    </li>
  );
}
