# bad: bad substitution
FROM debian:12
ENV A="${}"
