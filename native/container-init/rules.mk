# PID 1 of containers run with --init.
$(eval $(call program,container-init,container-init.c))
