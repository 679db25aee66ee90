# Layers: unpack, remove, measure. libzstd-dev, zlib1g-dev and libssl-dev (SHA-256 only) hold the static libraries.
$(eval $(call program,unpack,main.c source.c decompress.c queue.c tar.c pax.c sparse.c extract.c place.c whiteout.c paths.c tree.c options.c archive.c pack.c attributes.c inodes.c job.c report.c files.c view.c layer-tree.c layers.c copy.c,,-lzstd -lz -lcrypto -lpthread))
