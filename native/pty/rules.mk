$(eval $(call program,pty,pty.c))
