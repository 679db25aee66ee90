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
  'docker create --storage-opt size=nonsense busybox': "the peer's disk has no project quotas",
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
  'for i in $(seq 20); do docker exec -d daemon touch /made; sleep 1; docker exec daemon ls /made 2> /dev/null && break; done':
    'of a detached command in docker.io nothing is seen in this VM, however often it is started; why is not known',
  'docker network create --ipv6 n10; docker network rm n10': 'an IPv6 subnet is chosen, as later engines do',
  'docker network create --subnet nonsense n2': 'later engines word it so',
  'docker network create --subnet 10.$S.78.7/24 n6; docker network rm n6':
    'a subnet that is none is refused, as later engines do',
  'docker network create --subnet 10.$S.78.0/24 n6; docker network inspect n6 --format "{{json .IPAM.Config}}"':
    'the gateway that was chosen is told, not only one that was given',
  'docker network create --subnet 10.$S.80.0/24 --aux-address a=10.$S.80.9 --opt com.docker.network.bridge.name=br-$E --opt x=y n7; docker network inspect n7 --format "{{json .IPAM.Config}} {{json .Options}}"; ls -d /sys/class/net/br-$E':
    'the gateway that was chosen is told, not only one that was given',
  'docker network inspect bridge --format "{{json .Options}} {{.Internal}} {{.Attachable}}" | sed "s/1500/MTU/"':
    'ports are published to the loopback address unless another is asked for',
  'docker network rm n1': 'later engines tell by whom it is used',
  'docker network ls --filter name=n7 --format "{{json .}}" | sed "s/\\"CreatedAt[^,]*,//"':
    'IPv4 is a field of later engines',
  'docker run --rm --network inside --ip 10.$S.99.5 busybox true': 'later engines word it so',
  'docker run --rm --network inside busybox ip route | wc -l':
    'an internal network has no way out, so there is no route to one',
  'docker run --rm --network inside busybox cat /etc/resolv.conf': "the name server is the network's gateway",
  'docker inspect fixed --format "{{json .NetworkSettings.Networks.inside.IPAMConfig}} {{json .NetworkSettings.Networks.inside.Links}} {{len .NetworkSettings.Networks.inside.Aliases}} {{.NetworkSettings.Networks.inside.IPPrefixLen}}"':
    'the short id is no alias, as later engines have it',
  'docker network connect --ip 10.$S.80.4 --alias other n7 fixed; docker inspect fixed --format "{{json .NetworkSettings.Networks.n7.IPAMConfig}} {{len .NetworkSettings.Networks.n7.Aliases}}"':
    'the short id is no alias, as later engines have it',
  'docker inspect fixed --format "{{json .NetworkSettings.Ports}} {{json .NetworkSettings.SandboxKey}} {{.NetworkSettings.IPAddress}} {{.NetworkSettings.Gateway}}" | sed "s/netns.[0-9a-f]*/netns/"':
    'each keeps namespaces in its own way',
  'docker network connect --ip 1.2.3.4 n6 fixed': 'later engines word it so',
  'docker network create -d macvlan --subnet 10.$S.60.0/24 mv; docker network inspect mv --format "{{.Driver}} {{.Internal}} {{.EnableIPv6}} {{json .Options}} {{json .IPAM.Config}}"':
    'the gateway that was chosen is told, not only one that was given',
  'docker ps --filter name=shared --format "{{.Ports}}"': 'what the image or -p exposes is told of every network',
  'docker inspect shared --format "{{json .NetworkSettings.Networks.mv.Gateway}}"':
    'a network that leads nowhere has no way out; docker.io names a gateway that is not there',
  'docker exec shared ip route | grep -c default':
    'a network that leads nowhere has no way out, and who tries is told at once',
  'docker network create -d ipvlan -o ipvlan_flag=x mf; docker network rm mf': 'an option of later engines',
  'docker network create -d macvlan -o parent=nothing0 mp; docker network rm mp':
    'a parent cannot be shared here, whether it is there or not',
  'docker network rm n7': 'later engines tell by whom it is used',
  'docker run -d --name published -p ${P}80:80 -p 127.0.0.1:${P}81:81/udp -p ${P}90-${P}92:90-92 --stop-signal KILL busybox sleep 1000 > /dev/null; docker port published | sort':
    'ports are published to IPv4 addresses only',
  'docker port published 80': 'ports are published to IPv4 addresses only',
  'docker ps --filter publish=${P}80 --format "{{.Ports}}"': 'ports are published to IPv4 addresses only',
  'sleep 1; date +%s > began; docker tag busybox x:1; docker rmi x:1 > /dev/null; sleep 1; docker events --since $(cat began) --until $(date +%s.9) --filter type=image --format "{{.Action}} {{.Actor.Attributes.name}}"':
    'the name that went is told, where docker.io repeats the id',
  'docker network create --config-only n9; docker network rm n9': 'networks have no templates',
  'docker network create "bad name"; docker network rm "bad name"': 'names are checked, as later engines do',
  'docker network create ""': 'refused for what it is',
  'docker volume prune -f --filter all=1 | head -1': 'a filter of API 1.42',
  'docker run --rm --dns 9.9.9.9 --dns-search x.y busybox cat /etc/resolv.conf': 'the order that later engines write',
  'docker run --rm --init busybox sh -c "cat /proc/1/comm"': "the peer's packages come without an init",
  'docker run --rm busybox sh -c "cut -d\\" \\" -f3,9- /proc/self/mountinfo > /dev/null; cut -d\\" \\" -f5 /proc/self/mountinfo | sort | tr \\"\\\\n\\" \\" \\""':
    '/proc/interrupts is masked too, as later engines do',
  'docker run --rm --group-add 7 --group-add mail busybox id': 'later engines word it so',
  'docker run --rm --group-add nothing busybox id': 'later engines word it so',
  'docker run --rm --network none busybox cat /etc/hosts': 'the addresses as later engines write them',
  'docker run --rm -v /etc/hostname:/x:ro busybox sh -c "echo y > /x"': "the peer's file tree has no such file",
  'docker run --rm -w /etc/hostname busybox true': 'found by the program that starts it, not before',
  'docker run --rm --entrypoint /bin busybox': 'later runtimes say what it is',
  'docker run --rm busybox /etc': 'later runtimes say what it is',
  'docker exec dd /etc': 'later runtimes say what it is',
  'docker exec daemon nothing-like-it': '127, as later engines have it',
  'docker top daemon -o pid,args | tail -n +2 | wc -l': "the peer's file tree has no ps",
  'docker top daemon nonsense': "the peer's file tree has no ps",
  'docker top dd': "the peer's file tree has no ps",
  'docker top dd -eo pid,comm | tail -n +2 | tr -s " " | cut -d" " -f2': "the peer's file tree has no ps",
  'docker rm daemon': 'later engines word it so',
  'docker exec demon true': 'later engines word it so',
  'docker update --memory 64m dd; docker update --memory-swap 128m dd':
    'a limit may be given to a container that had none',
  'docker update --pids-limit -1 dd; docker exec dd cat /sys/fs/cgroup/pids.max':
    'the peer shows containers the first version of cgroups',
  'docker cp box:/etc/mtab - | tar t': 'no such link is put into containers',
  'docker cp box:/in/x out': 'the path of its own folder is nobody else’s business',
  'docker cp - box:/ < in': 'it says what is wrong with the archive',
  'docker exec box cat /in /tree/tree/sub/deep':
    'the peer, in its file tree, loses what is copied into a container that runs',
  'docker cp in box:/proc/x': 'the peer copies beneath the mount, where nobody finds it',
  'docker cp in box:/dev/shm/x; docker exec box ls /dev/shm':
    'the peer copies beneath the mount, where nobody finds it',
  'docker cp in box:/data/x; docker exec box cat /data/x':
    'the peer, in its file tree, loses what is copied into a container that runs',
  'docker diff box': 'the peer, in its file tree, loses what is copied into a container that runs',
  'docker save nothing -o none.tar': 'the name is told with its tag',
  'docker save busybox -o one.tar && tar tf one.tar | grep -c -E "^(manifest.json|repositories)$"':
    'the file of 2013 is not written',
  'echo nonsense | docker load': 'it says what is wrong with the archive',
  'docker load < /dev/null': 'it says what is wrong with the archive',
  'docker import tree.tar imported:3 --change "NONSENSE x"': 'it is read by the one parser there is',
  'docker commit -c "RUN true" source x': 'the instruction is told as it was given',
  'docker image prune -af --filter until=1h': 'an image that others were built on keeps its name',
  'docker history built:2 --format "{{.CreatedBy}}|{{.Comment}}"':
    'what several sources are called by is each engine’s own',
  'printf "RUN true\\n" > context/Dockerfile; DOCKER_BUILDKIT=0 docker build context 2>&1 | tail -1': 'it says where',
  'printf "FROM busybox AS a\\nFROM a AS b\\nRUN true\\n" > context/Dockerfile; DOCKER_BUILDKIT=0 docker build --target nothing context 2>&1 | tail -1':
    'later engines word it so',
  'printf "FROM busybox\\nONBUILD RUN echo triggered\\n" > context/Dockerfile; DOCKER_BUILDKIT=0 docker build -q -t onbuild context 2>/dev/null | cut -c1-7; echo "FROM onbuild" > context/Dockerfile; DOCKER_BUILDKIT=0 docker build context 2>/dev/null':
    'the base is told before its triggers too',
  'printf "FROM nothing-like-it:1\\n" > context/Dockerfile; DOCKER_BUILDKIT=0 docker build -q context 2>&1 | wc -l':
    'no empty line before the error',
  'printf "FROM busybox\\nENV A\\n" | DOCKER_BUILDKIT=0 docker build - 2>&1 | tail -1': 'it says where',
  'printf "FROM busybox\\nEXPOSE nonsense\\n" | DOCKER_BUILDKIT=0 docker build - 2>&1 | tail -1':
    'later engines word it so',
  'printf "FROM busybox\\nRUN --mount=type=cache,target=/x true\\n" | DOCKER_BUILDKIT=0 docker build - 2>&1 | tail -1':
    'found before anything is built, and it says where',
  'docker build -q context 2>&1 | tail -1': 'without progress there is nothing before the error',
  'docker builder prune -f': 'the cache of the classic builder is pruned; the peer knows only that of the other',
  'docker run --name user -v v3:/v:ro -v /anonymous --mount type=volume,source=v6,target=/n,volume-nocopy,volume-label=a=b --mount type=tmpfs,target=/t busybox true; docker inspect user --format "{{range .Mounts}}{{.Type}} {{.Destination}} {{.Mode}} {{.RW}} {{.Propagation}}|{{end}}"':
    'the mode tells how it was asked for',
  'docker run --rm --volumes-from user busybox ls -d /v /n /anonymous':
    'the peer answers that something is missing, which the client takes for the image; why is not known',
  'docker run --rm --volumes-from user:ro busybox touch /n/x':
    'the peer answers that something is missing, which the client takes for the image; why is not known',
  'docker ps -a --filter volume=v3 --format "{{.Names}} {{.Mounts}}" | cut -c1-8':
    'in the order that they were asked for',
  'docker run --rm -v v7:/etc busybox ls /etc | wc -l; docker run --rm -v v7:/x busybox ls /x | wc -l':
    'no /etc/mtab is put into containers',
  'docker run --rm --mount type=volume,source=v8,target=/x,volume-subpath=nothing busybox true': 'a field of API 1.45',
  'docker volume ls -q | wc -l': 'follows from the one before',
  'docker events --filter nonsense=1 --since 1 --until 2': 'names of filters are checked, as later engines do',
  'docker events --since $(cat began) --until $(date +%s.9) --filter type=container --filter event=die --format "{{json .Actor.Attributes}}"':
    'the duration is told too, as later engines do',
};
