/** Networks: create, inspect, remove, connect, disconnect. */
import { z } from 'zod';
import { networkCreated } from '../engine/resources-api.ts';
import { segment, type EngineClient } from '../engine/client.ts';
import type { EngineFeed } from '../engine/events.ts';
import type { CallHandler } from './handlers.ts';
import { removeSeveral } from './remove-several.ts';

export class NetworkHandlers {
  readonly #engine: EngineClient;
  readonly #feed: EngineFeed;

  constructor(engine: EngineClient, feed: EngineFeed) {
    this.#engine = engine;
    this.#feed = feed;
  }

  readonly create: CallHandler<'networks.create'> = async (asked) => {
    const { name, subnet, gateway, internal, ipv6, subnet6, labels } = asked;
    const config = {
      ...(subnet === '' ? {} : { Subnet: subnet }),
      ...(gateway === '' ? {} : { Gateway: gateway }),
    };
    const configs = [
      ...(Object.keys(config).length === 0 ? [] : [config]),
      ...(ipv6 && subnet6 !== '' ? [{ Subnet: subnet6 }] : []),
    ];
    const body = {
      Name: name,
      Internal: internal,
      EnableIPv6: ipv6,
      Labels: labels,
      ...(configs.length === 0 ? {} : { IPAM: { Config: configs } }),
    };
    const request = { attempt: `create ${name}`, method: 'POST', path: '/networks/create', body } as const;
    const created = await this.#engine.json(request, networkCreated);
    this.#feed.refresh('networks');
    return { id: created.Id };
  };

  readonly inspect: CallHandler<'networks.inspect'> = async ({ id }, signal) => ({
    raw: await this.#engine.json({ attempt: `inspect ${id}`, path: `/networks/${segment(id)}`, signal }, z.unknown()),
  });

  /** One that is gone already is as wanted. */
  readonly remove: CallHandler<'networks.remove'> = async ({ ids }) => {
    const removal = await removeSeveral(ids, (id) => {
      const path = `/networks/${segment(id)}`;
      return this.#engine.send({ attempt: `remove ${this.#nameOf(id)}`, method: 'DELETE', path, expect: [404] });
    });
    this.#feed.refresh('networks', 'containers');
    return removal;
  };

  readonly connect: CallHandler<'networks.connect'> = async ({ id, containerId, aliases }) => {
    await this.#change('connect', id, { Container: containerId, EndpointConfig: { Aliases: aliases } });
  };

  readonly disconnect: CallHandler<'networks.disconnect'> = async ({ id, containerId }) => {
    await this.#change('disconnect', id, { Container: containerId });
  };

  /** The engine tells of running containers only. */
  async #change(verb: 'connect' | 'disconnect', id: string, body: unknown): Promise<void> {
    const attempt = `${verb} ${verb === 'connect' ? 'to' : 'from'} ${this.#nameOf(id)}`;
    await this.#engine.send({ attempt, method: 'POST', path: `/networks/${segment(id)}/${verb}`, body });
    this.#feed.refresh('networks', 'containers');
  }

  #nameOf(id: string): string {
    return this.#feed.networks.current.find((network) => network.id === id)?.name ?? id;
  }
}
