# One per container, and the spawner that forks them.
$(eval $(call program,monitor,$(notdir $(wildcard monitor/*.c))))
