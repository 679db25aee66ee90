/** The docker command's context for this engine: a file of its own by which `docker context use wherry` finds the socket. */

export const dockerContextName = 'wherry';

export interface DockerContextView {
  /** `other`: the name is taken by a context of another engine. */
  readonly state: 'absent' | 'registered' | 'other';
  /** Docker commands without a context go to it. */
  readonly current: boolean;
  /** Where the context points, when there is one. */
  readonly host?: string;
  /** Docker's configuration folder. */
  readonly folder: string;
}
