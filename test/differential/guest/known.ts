/** Differences that are meant or of nature, each by its command, with the reason. A command that differs in two ways is better split. */
export const knownDifferences: Readonly<Record<string, string>> = {
  'docker image inspect busybox --format "{{json .ContainerConfig.Cmd}}"':
    'the field is deprecated, empty for pulled images, and gone since API 1.45; the agent speaks 1.47',
  'docker pull --platform nonsense/x $R/busybox:latest; docker rmi $R/busybox:latest':
    'an image of another platform is refused before it is fetched; docker.io 20.10 fetches it with a warning',
  'docker inspect one --format "{{.HostConfig.NetworkMode}}"':
    'the default network is told by its name, as later engines do',
  'docker inspect one --format "{{json .HostConfig.MaskedPaths}}"':
    '/proc/interrupts and the power sensors are masked too, as later engines do',
  'docker create --cpu-shares -5 busybox': 'refused when it is created; docker.io takes it and fails at the start',
  'docker create --log-opt max-size=nonsense busybox':
    'refused when it is created; docker.io takes it and fails at the start',
  'docker create --log-opt max-file=0 busybox': 'refused when it is created; docker.io takes it and fails at the start',
  'docker create -v v:/x -v w:/x busybox':
    'the client sends the second as a path to be a volume, which is no absolute path and refused; docker.io takes it',
  'docker create --gpus all busybox > /dev/null; docker start $(docker ps -lq) 2>&1 | tail -1':
    'refused when it is created; docker.io takes it and fails at the start',
  'docker info --format "{{json .Warnings}}"':
    "docker.io misses the kernel's bridge filter, which our firewall rules do without",
  'docker info --format "{{.DefaultRuntime}} {{.LiveRestoreEnabled}}"':
    'the runtime is our own, and containers outlive the agent',
  'docker info --format "{{json .Plugins.Network}} {{json .Plugins.Log}}"': 'only what the engine has is listed',
  'docker info --format "{{json .SecurityOptions}}"': 'user namespaces are on by default',
  'docker network create --subnet 10.$S.99.0/24 --ip-range 10.$S.99.128/25 n2; docker network inspect n2 --format "{{json .IPAM.Config}}"':
    'the gateway that was chosen is told, not only one that was given',
  'docker network create --internal --subnet 10.$S.77.0/24 inside; docker network inspect inside --format "{{.Internal}} {{json .IPAM}}"':
    'the gateway that was chosen is told, not only one that was given',
  'docker network create --ipv6 n10; docker network rm n10': 'an IPv6 subnet is chosen, as later engines do',
  'docker network create --config-only n9': 'networks have no templates',
  'docker network create "bad name"': 'names are checked, as later engines do',
  'docker network create ""': 'refused for what it is',
  'docker volume prune -f --filter all=1 | head -1': 'a filter of API 1.42',
};
