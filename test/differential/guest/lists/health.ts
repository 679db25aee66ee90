/** Health checks. */
export const health: readonly string[] = [
  'docker run -d --name well --health-cmd "echo fine" --health-interval 1s --health-timeout 30s busybox sleep 1000 > /dev/null; sleep 8; docker inspect well --format "{{.State.Health.Status}} {{.State.Health.FailingStreak}}"',
  'docker inspect well --format "{{with index .State.Health.Log 0}}{{.ExitCode}} {{json .Output}}{{end}}"',
  'docker inspect well --format "{{json .Config.Healthcheck}}"',
  'docker ps --format "{{.Names}} {{.Status}}"',
  'docker ps --filter health=healthy --format "{{.Names}}"',
  'docker ps --filter health=starting --filter health=unhealthy --format "{{.Names}}"',
  'docker stop -t 0 well > /dev/null; docker inspect well --format "{{.State.Health.Status}}"; docker ps -a --format "{{.Status}}"',
  'docker run -d --name ill --health-cmd "echo bad; exit 4" --health-interval 1s --health-retries 2 busybox sleep 1000 > /dev/null; sleep 10; docker inspect ill --format "{{.State.Health.Status}} {{(index .State.Health.Log 0).ExitCode}} {{json (index .State.Health.Log 0).Output}}"',
  'docker ps --format "{{.Names}} {{.Status}}"; docker rm -f ill > /dev/null',
  'docker create --name none --no-healthcheck busybox > /dev/null; docker inspect none --format "{{json .Config.Healthcheck}} {{json .State.Health}}"',
  'docker run -d --name slow --health-cmd "sleep 100" --health-interval 1s --health-timeout 1s --health-retries 1 busybox sleep 1000 > /dev/null; sleep 9; docker inspect slow --format "{{.State.Health.Status}} {{with index .State.Health.Log 0}}{{.ExitCode}} {{json .Output}}{{end}}"',
  'docker create --health-cmd true --no-healthcheck busybox',
];
