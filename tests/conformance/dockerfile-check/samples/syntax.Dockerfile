# bad: line 4: unknown instruction: ENVV
FROM debian:12
ENV A=b
ENVV C=d
