# A process can't be given this much.
# bad: environment A: no process can be given this
FROM debian:12
ENV A="${A}0123456789abcdef"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
ENV A="${A}${A}"
