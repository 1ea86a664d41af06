# bad: line 22: LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format
# also: line 14: StageNameCasing: Stage name 'First' should be lowercase
# also: line 15: WorkdirRelativePath: Relative workdir "relative" can have unexpected results if the base image changes
# also: line 18: NoEmptyContinuation
# also: line 20: FromAsCasing: 'as' and 'FROM' keywords' casing do not match
# also: line 21: SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "API_TOKEN")
# also: line 23: JSONArgsRecommended: JSON arguments recommended for CMD
# also: line 23: MultipleInstructionsDisallowed
# also: line 25: UndefinedVar: Usage of undefined variable '$UNKNOWN'
# also: line 26: ConsistentInstructionCasing
# also: line 27: MaintainerDeprecated
# What the linter has to say about any of the stages.

FROM debian:12 AS First
WORKDIR relative
RUN a \

    && b

FROM debian:12 as second
ENV API_TOKEN=a
ENV A b
CMD a b
CMD ["a"]
LABEL a="$UNKNOWN"
label b="c"
MAINTAINER a
