#include "unpack/attributes.h"

#include "common/cleanup.h"
#include "unpack/archive.h"

#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

enum { max_list = 64 * 1024, max_value = 64 * 1024, nobody = 65534 };

static bool is_carried(const char *name);
static size_t unshift_capability(unsigned char *value, size_t length, uid_t base);
static void unshift_acl(unsigned char *value, size_t length, uid_t base);

uid_t unshift_id(uid_t id, uid_t base) { return base == 0 ? id : id >= base ? id - base : nobody; }

int add_attributes(int fd, const char *path, uid_t base, char **records, size_t *length, struct error *error) {
    char few[1024];
    ssize_t size = fd >= 0 ? flistxattr(fd, few, sizeof few) : llistxattr(path, few, sizeof few);
    cleanup_free char *many = NULL;
    char *names = few;
    if (size < 0 && errno == ERANGE) {
        names = many = malloc(max_list);
        if (many == NULL)
            return fail(error, ENOMEM, "list its attributes");
        size = fd >= 0 ? flistxattr(fd, many, max_list) : llistxattr(path, many, max_list);
    }
    if (size < 0)
        return errno == ENOTSUP || errno == ENOENT ? 0 : fail(error, errno, "list its attributes");
    cleanup_free unsigned char *value = NULL;
    for (const char *name = names; name < names + size; name += strlen(name) + 1) {
        if (!is_carried(name))
            continue;
        if (value == NULL && (value = malloc(max_value)) == NULL)
            return fail(error, ENOMEM, "read its attributes");
        ssize_t got = fd >= 0 ? fgetxattr(fd, name, value, max_value) : lgetxattr(path, name, value, max_value);
        if (got < 0 && (errno == ENODATA || errno == ENOENT))
            continue; /* removed meanwhile */
        if (got < 0)
            return fail(error, errno, "read its attribute %s", name);
        size_t used = (size_t)got;
        if (strcmp(name, "security.capability") == 0)
            used = unshift_capability(value, used, base);
        else if (strncmp(name, "system.posix_acl_", 17) == 0)
            unshift_acl(value, used, base);
        char key[16 + 256];
        snprintf(key, sizeof key, "SCHILY.xattr.%.255s", name);
        if (pax_add(records, length, key, value, used, error) < 0)
            return -1;
    }
    return 0;
}

static bool is_carried(const char *name) {
    if (strncmp(name, "user.overlay.", 13) == 0)
        return false;
    return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0 ||
           strncmp(name, "system.posix_acl_", 17) == 0;
}

/* capabilities(7): the third version names the namespace's root; for the image it is plain root, the second version. */
static size_t unshift_capability(unsigned char *value, size_t length, uid_t base) {
    struct vfs_ns_cap_data data;
    if (length != sizeof data)
        return length;
    memcpy(&data, value, sizeof data);
    uint32_t magic = le32toh(data.magic_etc);
    if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3 || le32toh(data.rootid) != base)
        return length;
    data.magic_etc = htole32((magic & ~(uint32_t)VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_2);
    memcpy(value, &data, sizeof(struct vfs_cap_data));
    return sizeof(struct vfs_cap_data);
}

/* acl(5) in the form of linux/posix_acl_xattr.h: named users and groups hold ids. */
static void unshift_acl(unsigned char *value, size_t length, uid_t base) {
    for (size_t at = sizeof(struct posix_acl_xattr_header); at + sizeof(struct posix_acl_xattr_entry) <= length;
         at += sizeof(struct posix_acl_xattr_entry)) {
        struct posix_acl_xattr_entry entry;
        memcpy(&entry, value + at, sizeof entry);
        uint16_t tag = le16toh(entry.e_tag);
        if (tag != ACL_USER && tag != ACL_GROUP)
            continue;
        entry.e_id = htole32(unshift_id(le32toh(entry.e_id), base));
        memcpy(value + at, &entry, sizeof entry);
    }
}
