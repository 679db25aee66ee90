# Compiles a seccomp profile to the filter the kernel takes.
$(eval $(call program,seccomp,seccomp.c,,-lseccomp))
