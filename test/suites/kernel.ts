/** What every {@link Kernel} does; run on the addon and on the recording fake. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Kernel, KernelError } from '../../vm/agent/kernel/kernel.ts';
import { messageFlags } from '../../vm/agent/kernel/netlink/message.ts';
import { type NetlinkRequest, request } from '../../vm/agent/kernel/netlink/request.ts';
import { decodeLinks, deleteLink, getLink, listLinks, setLinkUp } from '../../vm/agent/kernel/netlink/route.ts';

export interface KernelUnderTest {
  readonly kernel: Kernel;
  /** A path that cannot be mounted on: the kernel says ENOENT. */
  readonly missingFolder: string;
}

/** The kernel must have the link `lo`, and none called `missing0`. */
export function kernelSuite(name: string, make: () => KernelUnderTest): void {
  test(`${name}: a refusal says what was tried, and why`, async () => {
    const { kernel, missingFolder } = make();
    const mounting = kernel.mount({ source: null, target: missingFolder, type: 'tmpfs', flags: [], data: null });
    await assert.rejects(mounting, (error) => {
      assert.ok(error instanceof KernelError);
      assert.equal(error.code, 'ENOENT');
      assert.match(error.message, /mount .*: ENOENT/);
      return true;
    });
  });

  test(`${name}: links are listed and looked up; one that is not there is no error`, async () => {
    const socket = await make().kernel.openNetlink('route');
    const [listed = [], found = [], missing = []] = await request(socket, [
      listLinks(),
      getLink('lo'),
      getLink('missing0'),
    ]);
    assert.ok(decodeLinks(listed).some((link) => link.name === 'lo'));
    assert.equal(decodeLinks(found)[0]?.index, 1);
    assert.deepEqual(decodeLinks(missing), []);
    socket.close();
  });

  test(`${name}: the first unexpected refusal of several requests is told, with its own attempt`, async () => {
    const socket = await make().kernel.openNetlink('route');
    await assert.rejects(request(socket, [deleteLink('missing0'), setLinkUp('missing0')]), {
      name: 'KernelError',
      code: 'ENODEV',
      message: /^set link missing0 up: ENODEV/,
    });
    socket.close();
  });

  test(`${name}: exchanges on one socket do not mix`, async () => {
    const socket = await make().kernel.openNetlink('route');
    const answers = await Promise.all(Array.from({ length: 30 }, () => request(socket, [listLinks(), getLink('lo')])));
    for (const [, found = []] of answers) assert.equal(decodeLinks(found)[0]?.name, 'lo');
    socket.close();
  });

  test(`${name}: a closed socket refuses; closing twice is closing once`, async () => {
    const socket = await make().kernel.openNetlink('route');
    socket.close();
    socket.close();
    await assert.rejects(request(socket, [getLink('lo')]), { code: 'EBADF' });
  });

  test(`${name}: messages that ask for no answer are not waited for`, async () => {
    const socket = await make().kernel.openNetlink('route');
    const silent: NetlinkRequest = { ...setLinkUp('lo'), flags: 0 };
    const loud = getLink('lo');
    assert.equal(loud.flags & messageFlags.acknowledge, messageFlags.acknowledge);
    const [nothing, found = []] = await request(socket, [silent, loud]);
    assert.deepEqual(nothing, []);
    assert.equal(decodeLinks(found).length, 1);
    socket.close();
  });
}
