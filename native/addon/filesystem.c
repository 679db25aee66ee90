/* Mounts, safe opening, quotas, trim, sync, locks. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/quota.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "addon/operation.h"
#include "common/cleanup.h"

enum { QUOTA_BLOCK_BYTES = 512 };

static int64_t outcome(int64_t result) { return result < 0 ? -errno : result; }

/* (source, target, type, flags, data) */
static void run_mount(struct call *call) {
    const struct argument *a = call->arguments;
    call->result = outcome(mount(a[0].data, a[1].data, a[2].data, (unsigned long)a[3].number, a[4].data));
}

/* (target, flags) */
static void run_unmount(struct call *call) {
    call->result = outcome(umount2(call->arguments[0].data, (int)call->arguments[1].number));
}

/* (folder descriptor, path, flags, mode, resolve) -> descriptor */
static void run_openat2(struct call *call) {
    const struct argument *a = call->arguments;
    struct open_how how = {
        .flags = (uint64_t)a[2].number | O_CLOEXEC,
        .mode = (uint64_t)a[3].number,
        .resolve = (uint64_t)a[4].number,
    };
    call->result = outcome(syscall(SYS_openat2, (int)a[0].number, a[1].data, &how, sizeof(how)));
}

static int open_path(const struct argument *path) {
    int fd = open(path->data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* (path): writes the whole filesystem that it is on */
static void run_syncfs(struct call *call) {
    cleanup_close int fd = open_path(&call->arguments[0]);
    call->result = fd < 0 ? fd : outcome(syncfs(fd));
}

/* (mount point) -> bytes given back */
static void run_trim(struct call *call) {
    cleanup_close int fd = open_path(&call->arguments[0]);
    struct fstrim_range range = {.len = UINT64_MAX};
    call->result = fd < 0 ? fd : outcome(ioctl(fd, FITRIM, &range));
    if (call->result == 0)
        call->result = (int64_t)range.len;
}

static int set_project(int fd, uint32_t project) {
    struct fsxattr attributes;
    if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
        return -errno;
    attributes.fsx_projid = project;
    if (project == 0)
        attributes.fsx_xflags &= ~(uint32_t)FS_XFLAG_PROJINHERIT;
    else
        attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
    return ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0 ? -errno : 0;
}

/* (folder, project): what is made in it from now on belongs to the project */
static void run_set_project(struct call *call) {
    cleanup_close int fd = open_path(&call->arguments[0]);
    call->result = fd < 0 ? fd : set_project(fd, (uint32_t)call->arguments[1].number);
}

static int64_t project_quota(const struct call *call, int command, struct fs_disk_quota *quota) {
    cleanup_close int fd = open_path(&call->arguments[0]);
    if (fd < 0)
        return fd;
    uint32_t project = (uint32_t)call->arguments[1].number;
    return outcome(syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), project, quota));
}

/* (mount point, project, bytes; 0 = no limit) */
static void run_set_project_limit(struct call *call) {
    uint64_t blocks = ((uint64_t)call->arguments[2].number + QUOTA_BLOCK_BYTES - 1) / QUOTA_BLOCK_BYTES;
    struct fs_disk_quota quota = {
        .d_version = FS_DQUOT_VERSION,
        .d_id = (uint32_t)call->arguments[1].number,
        .d_flags = FS_PROJ_QUOTA,
        .d_fieldmask = FS_DQ_BHARD | FS_DQ_BSOFT,
        .d_blk_hardlimit = blocks,
        .d_blk_softlimit = blocks,
    };
    call->result = project_quota(call, Q_XSETQLIM, &quota);
}

/* (mount point, project) -> bytes used */
static void run_project_usage(struct call *call) {
    struct fs_disk_quota quota;
    memset(&quota, 0, sizeof(quota));
    call->result = project_quota(call, Q_XGETQUOTA, &quota);
    if (call->result == 0)
        call->result = (int64_t)(quota.d_bcount * QUOTA_BLOCK_BYTES);
    else if (call->result == -ENOENT) /* nothing was ever written for it */
        call->result = 0;
}

/* (descriptor, operation): always without waiting, a blocked thread would be missing from the pool */
static void run_flock(struct call *call) {
    call->result = outcome(flock((int)call->arguments[0].number, (int)call->arguments[1].number | LOCK_NB));
}

const struct operation filesystem_operations[] = {
    {"mount", "sssns", run_mount},
    {"unmount", "sn", run_unmount},
    {"openat2", "nsnnn", run_openat2},
    {"syncfs", "s", run_syncfs},
    {"trim", "s", run_trim},
    {"setProject", "sn", run_set_project},
    {"setProjectLimit", "snn", run_set_project_limit},
    {"projectUsage", "sn", run_project_usage},
    {"flock", "nn", run_flock},
    {NULL, NULL, NULL},
};
