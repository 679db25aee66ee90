import { dockerContextName } from '../../contract/docker-context.ts';
import { DockerContext } from '../../engine/docker-context.ts';
import { dockerHost } from '../../home.ts';
import { exitCodes, UsageError, type Command } from '../command.ts';
import type { CliContext } from '../context.ts';

export const dockerContext: Command = {
  name: 'context',
  usage: '[add | remove]',
  summary: 'Register this engine with the docker command, as a context',
  details: [
    'After `add`, `docker context use wherry` sends docker commands here, and `docker --context wherry` a single one.',
    'Without a word it says whether the context is there. The folder is DOCKER_CONFIG, or ~/.docker.',
  ],
  flags: { replace: { type: 'boolean', help: 'add: also when the name is another engine’s' } },
  async run(cli, { words, flags }) {
    const [verb = 'inspect', ...more] = words;
    const docker = new DockerContext(dockerHost(cli.paths.dockerSocket));
    const replace = flags['replace'] === true;
    if (more.length > 0 || !['inspect', 'add', 'remove'].includes(verb) || (replace && verb !== 'add')) {
      throw new UsageError('say add or remove, or nothing. See: wherry context --help');
    }
    if (verb === 'add') await add(cli, docker, replace);
    else if (verb === 'remove') await remove(cli, docker);
    else await tell(cli, docker);
    return exitCodes.done;
  },
};

async function add(cli: CliContext, docker: DockerContext, replace: boolean): Promise<void> {
  const view = await docker.add(replace);
  if (cli.json) cli.print(JSON.stringify(view));
  else
    cli.print(`The docker context ${dockerContextName} is there. To use it: docker context use ${dockerContextName}`);
}

async function remove(cli: CliContext, docker: DockerContext): Promise<void> {
  const removed = await docker.remove();
  if (cli.json) cli.print(JSON.stringify(removed));
  else {
    const reset = removed.wasCurrent ? ' It was the current one: that is docker’s default again.' : '';
    cli.print(`The docker context ${dockerContextName} is gone.${reset}`);
  }
}

async function tell(cli: CliContext, docker: DockerContext): Promise<void> {
  const view = await docker.inspect();
  if (cli.json) {
    cli.print(JSON.stringify(view));
    return;
  }
  const current = view.current ? ', and the current one' : '';
  const words = {
    absent: 'not registered. To register it: wherry context add',
    registered: `registered${current}`,
    other: `another engine’s (${view.host ?? ''})${current}`,
  };
  cli.print(`The docker context ${dockerContextName} is ${words[view.state]}.`);
}
