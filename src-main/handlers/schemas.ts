/** Parsers for everything a window may send. What passes here is trusted inside. */
import { z } from 'zod';
import { maxStatsIds } from '../contract/channels.ts';
import { pieceBytes } from '../contract/transfers.ts';
import type { CallInput, CallName, StreamName, Streams, TopicName } from '../contract/channels.ts';

const nothing = z.strictObject({});
const name = z.string().min(1).max(4096);
const target = z.strictObject({ id: name });
const words = z.array(z.string().max(131_072)).max(4096);
const port = z.int().min(1).max(65_535);
const labels = z.record(z.string().min(1).max(4096), z.string().max(65_536));
const statsIds = z.array(name).max(maxStatsIds);
const filePath = z
  .string()
  .regex(/^\/[^\0]*$/)
  .max(4096);
const place = z.union([z.strictObject({ container: name }), z.strictObject({ volume: name })]);
/** In a folder that is named beside it. */
const fileName = z
  .string()
  .regex(/^[^\0/]+$/)
  .refine((text) => text !== '.' && text !== '..')
  .max(255);
const sizeBytes = z.int().min(0);
const columns = z.int().min(1).max(1000);
const rows = z.int().min(1).max(1000);

const vmSettings = z.strictObject({
  cpus: z.int().min(1).max(1024),
  memoryMiB: z.int().min(1).max(16_777_216),
  diskGiB: z.int().min(1).max(1_048_576),
  accelerator: z.enum(['auto', 'hvf', 'whpx', 'kvm', 'tcg']),
  backend: z.enum(['auto', 'qemu', 'hyperv']),
});

const servers = z.array(z.string().max(4096)).max(256);

const networkSettings = z.strictObject({
  proxy: z.enum(['system', 'none', 'manual']),
  httpProxy: z.string().max(4096),
  httpsProxy: z.string().max(4096),
  noProxy: z.string().max(4096),
  insecureRegistries: servers,
  registryMirrors: servers,
  certificates: z.string().max(1_048_576),
  addressPools: z.array(z.string().max(64)).max(256),
});

const settings = z.strictObject({
  vm: vmSettings,
  network: networkSettings,
  appearance: z.strictObject({ theme: z.enum(['system', 'light', 'dark']) }),
  terminal: z.strictObject({
    fontFamily: z.string().max(4096),
    fontSize: z.number(),
    theme: z.enum(['window', 'light', 'dark', 'black']),
  }),
  desktop: z.strictObject({
    onClose: z.enum(['hide', 'quit']),
    startAtLogin: z.boolean(),
    notifications: z.boolean(),
  }),
  onQuit: z.enum(['leave-running', 'sleep', 'stop']),
  sleepAfterMinutes: z.number(),
});

const runRequest = z.strictObject({
  image: name,
  name: z.string().max(255).exactOptional(),
  command: words.exactOptional(),
  entrypoint: words.exactOptional(),
  environment: words.exactOptional(),
  ports: z
    .array(
      z.strictObject({
        containerPort: port,
        protocol: z.enum(['tcp', 'udp']),
        hostPort: z.int().min(0).max(65_535).exactOptional(),
        hostIp: z.string().max(64).exactOptional(),
      }),
    )
    .max(1024)
    .exactOptional(),
  memoryBytes: z.int().min(0).exactOptional(),
  cpus: z.number().min(0).max(1024).exactOptional(),
  pidsLimit: z.int().min(0).max(4_194_304).exactOptional(),
  restartPolicy: z.enum(['no', 'always', 'unless-stopped', 'on-failure']).exactOptional(),
  tty: z.boolean().exactOptional(),
  removeWhenStopped: z.boolean().exactOptional(),
  volumes: z
    .array(z.strictObject({ name, path: name, readOnly: z.boolean() }))
    .max(1024)
    .exactOptional(),
  network: name.exactOptional(),
});

const containerEdit = z.strictObject({
  command: words,
  environment: words,
  ports: z
    .array(
      z.strictObject({
        containerPort: port,
        protocol: z.enum(['tcp', 'udp']),
        hostPort: z.int().min(0).max(65_535),
        hostIp: z.string().max(64),
      }),
    )
    .max(1024),
  mounts: z
    .array(
      z.strictObject({
        type: z.enum(['bind', 'volume']),
        source: name,
        target: name,
        readOnly: z.boolean(),
      }),
    )
    .max(1024),
  memoryBytes: z.int().min(0),
  cpus: z.number().min(0).max(1024),
  pidsLimit: z.int().min(0).max(4_194_304),
  restartPolicy: z.enum(['no', 'always', 'unless-stopped', 'on-failure']),
});

export const callInputs: { readonly [K in CallName]: z.ZodType<CallInput<K>> } = {
  'app.info': nothing,
  'app.openExternal': z.strictObject({ url: z.string().max(8192) }),
  'vm.start': nothing,
  'vm.stop': nothing,
  'vm.sleep': nothing,
  'vm.restart': nothing,
  'vm.reset': nothing,
  'vm.mend': nothing,
  'vm.usage': nothing,
  'diagnostics.report': nothing,
  'diagnostics.doctor': nothing,
  'settings.get': nothing,
  'settings.set': z.strictObject({ settings }),
  'dockerContext.inspect': nothing,
  'dockerContext.add': z.strictObject({ replace: z.boolean() }),
  'dockerContext.remove': nothing,
  'images.inspect': target,
  'images.layers': target,
  'images.layerFolder': z.strictObject({ id: name, layer: z.int().min(0).max(4096), path: filePath }),
  'images.searchLayers': z.strictObject({ id: name, text: z.string().min(1).max(256) }),
  'images.remove': z.strictObject({ id: name, force: z.boolean() }),
  'images.tag': z.strictObject({ id: name, reference: name }),
  'images.pull': z.strictObject({ reference: name }),
  'images.push': z.strictObject({ reference: name }),
  'images.prune': z.strictObject({ unused: z.boolean() }),
  'tasks.cancel': target,
  'tasks.forget': target,
  'volumes.create': z.strictObject({ name: z.string().max(255), labels }),
  'volumes.inspect': z.strictObject({ name }),
  'volumes.remove': z.strictObject({ names: z.array(name).max(10_000) }),
  'volumes.sizes': z.strictObject({ names: z.array(name).max(1000) }),
  'volumes.clone': z.strictObject({ name, newName: z.string().min(1).max(255) }),
  'networks.inspect': target,
  'networks.create': z.strictObject({
    name: z.string().min(1).max(255),
    subnet: z.string().max(64),
    gateway: z.string().max(64),
    internal: z.boolean(),
    ipv6: z.boolean(),
    subnet6: z.string().max(64),
    labels,
  }),
  'networks.remove': z.strictObject({ ids: z.array(name).max(10_000) }),
  'networks.connect': z.strictObject({ id: name, containerId: name, aliases: z.array(name).max(64) }),
  'networks.disconnect': z.strictObject({ id: name, containerId: name }),
  'registries.login': z.strictObject({
    server: z.string().max(4096),
    username: z.string().max(4096),
    secret: z.string().min(1).max(65_536),
  }),
  'registries.test': z.strictObject({ server: name }),
  'registries.logout': z.strictObject({ server: name }),
  'registries.tags': z.strictObject({ name }),
  'registries.repositories': z.strictObject({ server: name }),
  'registries.search': z.strictObject({ term: name }),
  'containers.run': runRequest,
  'containers.inspect': target,
  'containers.start': target,
  'containers.stop': target,
  'containers.restart': target,
  'containers.kill': target,
  'containers.pause': target,
  'containers.unpause': target,
  'containers.top': target,
  'containers.edit': z.strictObject({ id: name, edit: containerEdit }),
  'containers.acceptEdit': target,
  'containers.rollBackEdit': target,
  'containers.rename': z.strictObject({ id: name, name: z.string().min(1).max(255) }),
  'containers.remove': z.strictObject({ id: name, force: z.boolean(), volumes: z.boolean() }),
  'files.list': z.strictObject({ place, path: filePath }),
  'files.changes': target,
  'files.read': z.strictObject({ place, path: filePath }),
  'files.write': z.strictObject({
    place,
    path: filePath,
    before: z.string().max(1024 * 1024),
    text: z.string().max(1024 * 1024),
  }),
  'terminals.open': z.strictObject({
    containerId: name,
    command: words.min(1).exactOptional(),
    user: z.string().max(255).exactOptional(),
    toolbox: z.boolean().exactOptional(),
    columns,
    rows,
  }),
  'terminals.close': target,
};

export const streamInputs: { readonly [K in StreamName]: z.ZodType<Streams[K]['input']> } = {
  'logs.follow': z.strictObject({
    containerId: name,
    tail: z.union([z.int().min(0), z.literal('all')]),
    since: z.string().max(64).exactOptional(),
    until: z.string().max(64).exactOptional(),
    follow: z.boolean(),
  }),
  'containers.stats': z.strictObject({ ids: statsIds, historyS: z.int().min(0).max(3600) }),
  'terminals.attach': target,
  'images.save': z.strictObject({ references: z.array(name).min(1).max(256) }),
  'images.load': z.strictObject({ name, sizeBytes }),
  'images.build': z.strictObject({
    reference: z.string().max(4096),
    dockerfile: name,
    target: z.string().max(4096),
    arguments: labels,
    noCache: z.boolean(),
    pull: z.boolean(),
    sizeBytes,
  }),
  'volumes.export': z.strictObject({ name }),
  'volumes.import': z.strictObject({ name: z.string().min(1).max(255), sizeBytes }),
  'files.download': z.strictObject({ place, path: filePath }),
  'files.upload': z.strictObject({ place, folder: filePath, name: fileName, sizeBytes }),
  'tasks.output': target,
  'vm.console': nothing,
  'engine.events': z.strictObject({ history: z.boolean().exactOptional() }),
};

const upload = z.union([
  z.strictObject({ data: z.base64().max(4 * pieceBytes) }),
  z.strictObject({ end: z.literal(true) }),
]);

export const streamMessages: { readonly [K in StreamName]: z.ZodType<Streams[K]['message']> } = {
  'logs.follow': z.never(),
  'containers.stats': z.strictObject({ ids: statsIds }),
  'terminals.attach': z.union([z.strictObject({ data: z.string().max(1_048_576) }), z.strictObject({ columns, rows })]),
  'images.save': z.never(),
  'images.load': upload,
  'images.build': upload,
  'volumes.export': z.never(),
  'volumes.import': upload,
  'files.download': z.never(),
  'files.upload': upload,
  'tasks.output': z.never(),
  'vm.console': z.never(),
  'engine.events': z.never(),
};

export const topicNames: { readonly [K in TopicName]: true } = {
  vm: true,
  settings: true,
  images: true,
  containers: true,
  volumes: true,
  networks: true,
  registries: true,
  tasks: true,
  terminals: true,
};

const id = z.int().min(1);

/** The outer form of a frame; inputs and messages are parsed by the channel's own schema. */
export const clientFrame = z.discriminatedUnion('t', [
  z.object({ t: z.literal('hello'), version: z.int() }),
  z.object({ t: z.literal('call'), id, channel: z.string(), input: z.unknown() }),
  z.object({ t: z.literal('cancel'), id }),
  z.object({ t: z.literal('subscribe'), id, topic: z.string() }),
  z.object({ t: z.literal('unsubscribe'), id }),
  z.object({ t: z.literal('open'), id, stream: z.string(), input: z.unknown() }),
  z.object({ t: z.literal('send'), id, message: z.unknown() }),
  z.object({ t: z.literal('ack'), id, items: z.int().min(1).max(1_000_000) }),
  z.object({ t: z.literal('close'), id }),
]);
