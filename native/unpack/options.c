#include "unpack/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static int take_number(struct options *options, int word, const char *text);
static bool number_of(const char *text, int base, uint64_t max, uint64_t *number);

int options_parse(int count, char **words, struct options *options) {
    static const struct option known[] = {
        {"root", required_argument, NULL, 'r'},      {"no-root", no_argument, NULL, 'n'},
        {"keep", required_argument, NULL, 'k'},      {"resume", required_argument, NULL, 's'},
        {"apply", no_argument, NULL, 'a'},           {"shift", required_argument, NULL, 'u'},
        {"max-bytes", required_argument, NULL, 'b'}, {"max-entries", required_argument, NULL, 'e'},
        {"plain", no_argument, NULL, 'p'},           {"into", required_argument, NULL, 'i'},
        {"pack", required_argument, NULL, 'P'},      {"as", required_argument, NULL, 'A'},
        {"overlay", no_argument, NULL, 'O'},         {"unshift", required_argument, NULL, 'U'},
        {"owner", required_argument, NULL, 'o'},     {"mode", required_argument, NULL, 'm'},
        {"max-time", required_argument, NULL, 't'},  {"skip", required_argument, NULL, 'S'},
        {"gzip", no_argument, NULL, 'z'},            {"list", no_argument, NULL, 'l'},
        {0},
    };
    *options = (struct options){
        .root_fd = -1,
        .max_bytes = UINT64_C(1) << 40,
        .max_entries = 1 << 24,
        .packer = {.as = "", .max_time = INT64_MAX, .output_fd = -1},
    };
    char **skip = calloc((size_t)count + 1, sizeof *skip);
    if (skip == NULL)
        return -1;
    options->packer.skip = skip;
    for (int word; (word = getopt_long(count, words, "", known, NULL)) != -1;) {
        switch (word) {
        case 'r':
            options->root = optarg;
            break;
        case 'n':
            options->no_root = true;
            break;
        case 'k':
            options->keep = optarg;
            break;
        case 'a':
            options->apply = true;
            break;
        case 'p':
            options->plain = true;
            break;
        case 'i':
            options->into = optarg;
            break;
        case 'P':
            options->packer.source = optarg;
            break;
        case 'A':
            options->packer.as = optarg;
            break;
        case 'O':
            options->packer.overlay = true;
            break;
        case 'S':
            skip[options->packer.skip_count++] = optarg;
            break;
        case 'z':
            options->packer.gzip = true;
            break;
        case 'l':
            options->packer.list = true;
            break;
        case 'o':
            if (options_owner(&options->packer, optarg) < 0)
                return -1;
            break;
        default:
            if (take_number(options, word, optarg) < 0)
                return -1;
        }
    }
    bool one_target = (options->root != NULL) != options->no_root;
    return optind == count && one_target && (options->keep != NULL || options->resume == 0) ? 0 : -1;
}

static int take_number(struct options *options, int word, const char *text) {
    uint64_t number, max = word == 'u' ? UINT32_MAX / 2 : word == 'U' ? UINT32_MAX : word == 'm' ? 07777 : INT64_MAX;
    if (word == '?' || !number_of(text, word == 'm' ? 8 : 10, max, &number))
        return -1;
    switch (word) {
    case 's':
        options->resume = number;
        break;
    case 'u':
        options->shift = (uid_t)number;
        break;
    case 'b':
        options->max_bytes = number;
        break;
    case 'e':
        options->max_entries = number;
        break;
    case 'U':
        options->packer.unshift = (uid_t)number;
        break;
    case 'm':
        options->packer.has_mode = true;
        options->packer.mode = (mode_t)number;
        break;
    case 't':
        options->packer.max_time = (int64_t)number;
        break;
    default:
        return -1;
    }
    return 0;
}

int options_owner(struct packer *packer, const char *text) {
    char uid[16];
    size_t length = strcspn(text, ":");
    uint64_t user, group;
    if (length >= sizeof uid || text[length] == 0)
        return -1;
    memcpy(uid, text, length);
    uid[length] = 0;
    if (!number_of(uid, 10, UINT32_MAX - 1, &user) || !number_of(text + length + 1, 10, UINT32_MAX - 1, &group))
        return -1;
    packer->has_owner = true;
    packer->uid = (uid_t)user;
    packer->gid = (gid_t)group;
    return 0;
}

static bool number_of(const char *text, int base, uint64_t max, uint64_t *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, base);
    return errno == 0 && end != text && *end == 0 && *number <= max;
}
