/** What `rbuild --help` shows: one screen of 80 by 24. `rbuild build --help` lists every flag. */
export const HELP = `Builds a container image on a remote Docker daemon, over one SSH connection.

Usage: rbuild CONTEXT [-t NAME] [--on BOX] [flags]
       rbuild context [DIR]           show what would be uploaded, and why
       rbuild pull IMAGE [--on BOX]   pull an image (rbuild images lists them)
       rbuild hosts                   list the boxes; hosts add NAME ssh://…
       rbuild doctor [--on BOX]       would a build work there, and if not, why?

      --on BOX           docker context, ssh alias, user@host[:port] or a URL
  -t, --tag NAME         name of the image           -f, --file FILE  Dockerfile
      --target STAGE     stage to build              --build-arg NAME=VALUE
      --platform OS/CPU  what to build for           --no-cache, --pull
      --push             push every tag, from the box or --via client: from here
      --save FILE        write the image to FILE (.tar, .tar.gz, - for stdout)
      --load             load the image into the local daemon
  -o, --output DIR       no image: the files, in DIR (or type=tar,dest=FILE, …)
      --progress MODE    auto, tty, plain, json, none; quiet or -q: the id

Examples:
  rbuild . -t app --on x86box
  rbuild . -t ghcr.io/me/app:1.2 --on me@10.0.0.5 --push
  rbuild . -t app --on ssh://me@box:2222 --save app.tar.gz -f docker/Prod

All flags: rbuild help build    Also: images, cache, completion (rbuild help …)
`;
