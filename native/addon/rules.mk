# The addon: $(OUT)/kernel.node. Node's own symbols are found when it is loaded, so nothing is linked but libc.
NODE_HEADERS ?= ../node_modules/node-api-headers/include
ADDON_OBJECTS := $(patsubst %.c,$(OBJ)/%.o,$(wildcard addon/*.c))

$(OBJ)/addon/%.o: CFLAGS += -fPIC -fvisibility=hidden -DNAPI_VERSION=8 -isystem $(NODE_HEADERS)

$(OUT)/kernel.node: $(ADDON_OBJECTS)
	@mkdir -p $(@D)
	$(CC) -shared -Wl,--gc-sections -s -o $@ $^

ALL += $(OUT)/kernel.node
