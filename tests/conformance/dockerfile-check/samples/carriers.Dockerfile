# What processes get, whatever the way that it is written.
ARG VERSION=12
FROM debian:$VERSION AS unpacked
ENV OF_ANOTHER_STAGE=a
CMD ["of another stage"]

FROM debian:$VERSION
ARG NAME="a=b"
ARG LINES=" \
 the next"
SHELL ["/bin/bash", "-c"]
ENV EMPTY="" \
    # Comments and empty beginnings of lines have no meaning here.
    QUOTED="\"\\\$HOME \a 'b'" SINGLE='"\$HOME' BARE=a\ b\$c
ENV PATH="/opt/bin:${PATH}" TWICE="$EMPTY-${EMPTY:-unset}-${QUOTED}"
ENV TWICE="now $TWICE"
ENV LINES=$LINES CR="ab"
LABEL "a b"="c" "$NAME"="the end of a name is in an argument" é="é 😀"
COPY --from=unpacked --chown=1:1 /a /b
RUN ["/b", "--all"]
EXPOSE 8080 53/udp 7000-7001
HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=2m --start-interval=5s --retries=4 CMD ["test", "$HOME", "\u0024(a)", "\n"]
WORKDIR /opt
WORKDIR app
USER 1000:1000
ENTRYPOINT exec a $HOME
CMD ["a b", "$HOME", "\"\\", "\ud83d\ude00", ""]
