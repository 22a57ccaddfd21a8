/**
 * A stand-in for podman, for machines on which no container can run: a process per container and per pod, an image where its name is on
 * the list of those the machine has, and a registry that is another list. It is no podman: only what podman 5.4.2's generator has services call.
 */
export const STAND_IN_PODMAN = `#!/bin/sh
# A stand-in for podman: see test/e2e/stand-in-podman.ts.
here=/var/lib/stand-in-images
registry=/opt/fleet/shared/stand-in-registry
for last; do :; done
touch "$here"
case "$1 $2" in
  "image exists") grep -qxF -- "$last" "$here" ;;
  "pull "*)
    if grep -qxF -- "$last" "$registry"; then echo "$last" >> "$here"; else
      echo "Error: initializing source docker://$last: reading manifest: manifest unknown" >&2
      exit 125
    fi ;;
  "run "*)
    # What follows the image is the container's own.
    image=
    for word; do if [ -z "$image" ] && grep -qxF -- "$word" "$here"; then image=$word; fi; done
    if [ -z "$image" ]; then echo "Error: $last: image not known" >&2; exit 125; fi
    echo "the stand-in runs $image"
    systemd-notify --ready
    exec sleep infinity ;;
  "pod start")
    file=$(printf %s "$3" | sed 's/^--pod-id-file=//; s/-id$//; s/\\.pod$/.pid/')
    setsid sleep infinity & echo $! > "$file" ;;
  "volume create"|"network create"|"pod create"|"pod stop"|"pod rm"|"rm "*) ;;
  *) echo "the stand-in does not know: $*" >&2; exit 125 ;;
esac
`;

/** Runs the real generator, and counts the times systemd does. */
export const COUNTED_GENERATOR = `#!/bin/sh
[ "$1" = -dryrun ] || echo reload >> /run/generated
exec /opt/fleet/shared/quadlet "$@"
`;
