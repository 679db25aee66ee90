/* Exports every operation to JavaScript as a function that returns a promise. */
#include <errno.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "addon/operation.h"
#include "common/cleanup.h"

struct job {
    struct call call;
    const struct operation *operation;
    napi_async_work work;
    napi_deferred deferred;
};

static void free_job(struct job *job) {
    if (job == NULL)
        return;
    for (int i = 0; i < MAX_ARGUMENTS; i++)
        free(job->call.arguments[i].data);
    free(job->call.reply);
    free(job);
}

static bool read_string(napi_env env, napi_value value, struct argument *argument) {
    napi_valuetype type;
    if (napi_typeof(env, value, &type) != napi_ok)
        return false;
    if (type == napi_null)
        return true;
    size_t size;
    if (napi_get_value_string_utf8(env, value, NULL, 0, &size) != napi_ok)
        return false;
    argument->data = malloc(size + 1);
    if (argument->data == NULL)
        return false;
    if (napi_get_value_string_utf8(env, value, argument->data, size + 1, &argument->size) != napi_ok)
        return false;
    /* The kernel would stop at the first NUL, and act on another path than the one that was checked. */
    return strlen(argument->data) == argument->size;
}

static bool read_buffer(napi_env env, napi_value value, struct argument *argument) {
    void *data;
    bool is_buffer;
    if (napi_is_buffer(env, value, &is_buffer) != napi_ok || !is_buffer)
        return false;
    if (napi_get_buffer_info(env, value, &data, &argument->size) != napi_ok)
        return false;
    argument->data = malloc(argument->size + 1);
    if (argument->data == NULL)
        return false;
    if (argument->size > 0)
        memcpy(argument->data, data, argument->size);
    return true;
}

static bool read_arguments(napi_env env, napi_callback_info info, struct job *job) {
    napi_value values[MAX_ARGUMENTS];
    size_t given = MAX_ARGUMENTS;
    const char *signature = job->operation->signature;

    if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok || given != strlen(signature))
        return false;
    for (size_t i = 0; i < given; i++) {
        struct argument *argument = &job->call.arguments[i];
        bool good = signature[i] == 's'   ? read_string(env, values[i], argument)
                    : signature[i] == 'b' ? read_buffer(env, values[i], argument)
                                          : napi_get_value_int64(env, values[i], &argument->number) == napi_ok;
        if (!good)
            return false;
    }
    return true;
}

static void execute(napi_env env, void *data) {
    (void)env;
    struct job *job = data;
    job->operation->run(&job->call);
}

static void complete(napi_env env, napi_status status, void *data) {
    struct job *job = data;
    napi_value result = NULL;

    if (status == napi_cancelled)
        job->call.result = -ECANCELED;
    if (job->call.reply != NULL && job->call.result >= 0)
        napi_create_buffer_copy(env, job->call.reply_size, job->call.reply, NULL, &result);
    if (result == NULL)
        napi_create_int64(env, job->call.result, &result);
    napi_resolve_deferred(env, job->deferred, result);
    napi_delete_async_work(env, job->work);
    free_job(job);
}

static napi_value start(napi_env env, napi_callback_info info) {
    void *operation;
    napi_value name, promise;

    if (napi_get_cb_info(env, info, NULL, NULL, NULL, &operation) != napi_ok)
        return NULL;
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        napi_throw_error(env, NULL, "out of memory");
        return NULL;
    }
    job->operation = operation;
    if (!read_arguments(env, info, job)) {
        napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", job->operation->name);
        free_job(job);
        return NULL;
    }
    if (napi_create_string_utf8(env, job->operation->name, NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_async_work(env, NULL, name, execute, complete, job, &job->work) != napi_ok) {
        napi_throw_error(env, NULL, "cannot create the work");
        free_job(job);
        return NULL;
    }
    if (napi_create_promise(env, &job->deferred, &promise) != napi_ok ||
        napi_queue_async_work(env, job->work) != napi_ok) {
        napi_throw_error(env, NULL, "cannot queue the work");
        napi_delete_async_work(env, job->work);
        free_job(job);
        return NULL;
    }
    return promise;
}

static bool export_all(napi_env env, napi_value exports, const struct operation *operations) {
    for (const struct operation *operation = operations; operation->name != NULL; operation++) {
        napi_value function;
        if (napi_create_function(env, operation->name, NAPI_AUTO_LENGTH, start, (void *)operation, &function) != napi_ok ||
            napi_set_named_property(env, exports, operation->name, function) != napi_ok)
            return false;
    }
    return true;
}

__attribute__((visibility("default"))) NAPI_MODULE_INIT() {
    if (!export_all(env, exports, netlink_operations) || !export_all(env, exports, filesystem_operations) ||
        !export_all(env, exports, process_operations))
        napi_throw_error(env, NULL, "cannot export the operations");
    return exports;
}
