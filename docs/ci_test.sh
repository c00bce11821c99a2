#!/usr/bin/env bash
# The examples of docs/ci: each is read by a parser of its language, and its commands are run, part by part, as
# the CI would: with less to play, apt-get left out, and the results merged.
. "$SOURCE/harness/selftest/lib.sh"
ci=${CI_EXAMPLES:-$SOURCE/docs/ci}
perl -MYAML::XS -e 1 2>/dev/null || cannot_run "libyaml-libyaml-perl is not installed"
command -v groovyc >/dev/null || cannot_run "groovy is not installed"

# A declarative pipeline is a Groovy script, so Groovy's own compiler reads it.
cp "$ci/Jenkinsfile" "$scratch/Jenkinsfile.groovy"
java=$(readlink -f "$(command -v java)")
expect 0 "" env JAVA_HOME="${JAVA_HOME:-${java%/bin/java}}" groovyc -d "$scratch/classes" "$scratch/Jenkinsfile.groovy"

# commands YAML JOB: its shell commands, one a line.
commands() {
  perl -MYAML::XS=LoadFile -e '
    my ($file, $name) = @ARGV;
    my $all = LoadFile($file);
    my $job = $all->{jobs} ? $all->{jobs}{$name} : $all->{$name};
    die "$file has no job $name\n" unless ref $job eq "HASH";
    my @steps = $job->{steps} ? map { $_->{run} // () } @{$job->{steps}}
                              : (@{$all->{default}{before_script}}, @{$job->{script}});
    print "$_\n" for @steps;' "$1" "$2"
}
# The words of each sh step of a stage of the Jenkinsfile.
steps() {
  sed -n "/stage('$1')/,/^    }/p" "$ci/Jenkinsfile" | sed -n "s/^ *sh '\(.*\)'$/\1/p"
}
{ commands "$ci/github-actions.yml" shard && commands "$ci/github-actions.yml" report; } >"$scratch/github" ||
  fail "github-actions.yml has its jobs"
{ commands "$ci/gitlab-ci.yml" shard && commands "$ci/gitlab-ci.yml" report; } >"$scratch/gitlab" ||
  fail "gitlab-ci.yml has its jobs"
{ steps Shards && steps Report; } >"$scratch/jenkins"

# In the place of postern and apt-get: the one plays eight cases, the other does nothing.
mkdir "$scratch/bin"
cat >"$scratch/bin/postern" <<SH
#!/bin/sh
[ "\$1" != run ] || set -- "\$@" tls-modes/server-level=require/client-certificate=none \
  --filter "client=plain server=good|plain kind=matrix"
exec "$POSTERN" "\$@" --scenarios "$SOURCE/scenarios"
SH
printf '#!/bin/sh\n' >"$scratch/bin/apt-get"
chmod +x "$scratch/bin/postern" "$scratch/bin/apt-get"

for name in github gitlab jenkins; do
  mkdir "$scratch/$name.d"
  cd "$scratch/$name.d"
  grep -q "^apt-get .*install .* \./postern\.deb$" "$scratch/$name" || fail "$name installs the package"
  grep '^postern run ' "$scratch/$name" >"$scratch/run"
  grep -v -e '^postern run ' -e '^apt-get' "$scratch/$name" >"$scratch/report"
  for shard in 1 2 3 4; do
    sed "s/\${{ matrix.shard }}/$shard/g" "$scratch/run" >"$scratch/part"
    unset CI_NODE_INDEX CI_NODE_TOTAL
    [ $name != gitlab ] || export CI_NODE_INDEX=$shard CI_NODE_TOTAL=4
    expect 0 "Shard $shard of 4" env SHARD=$shard PATH="$scratch/bin:$PATH" sh -e "$scratch/part"
  done
  unset CI_NODE_INDEX CI_NODE_TOTAL
  expect 0 "8 cases: 8 pass" env GITHUB_STEP_SUMMARY="$scratch/summary" PATH="$scratch/bin:$PATH" sh -e "$scratch/report"
  grep -q 'tests="8"' all.xml || fail "$name: one JUnit report has all cases"
done
grep -q "8 cases" "$scratch/summary" || fail "github: the summary is on the job's page"

finish
