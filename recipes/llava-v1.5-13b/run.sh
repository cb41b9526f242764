#!/usr/bin/env bash
# The whole study with LLaVA v1.5-13B: from articles on the web to a published model that anybody can verify.
#
#   hours   7 to 13 of training on 4 x A40; computed by count, not measured: both phases, 50,882 rows of 900 tokens, by
#             ldrt plan --config recipes/llava-v1.5-13b/phase2.yaml --accelerate accelerate_configs/zero3.yaml \
#                 --gpu A40 --rows 50882 --tokens 900 --price_per_gpu_hour 1         (and the same with phase1.yaml)
#           14 for the teacher, 0.5 for each judge, computed with tokens a second that are assumed: recipes/SERVING.md.
#           1.2 to look 42,673 articles up, computed: two requests each, 20 a second; fetching by their bytes, which
#           `bash …/run.sh look` says before they come. Answering 3 × 3,148 questions: neither measured nor computed.
#   GPUs    4 of 48 GB; training takes 15 GiB of each by count, the servers of 72B and 70B take all four, one at a time.
#   disk    175 GB for models, computed: 13.4e9 parameters of 2 bytes are 27 GB, six times (the base model, phase 1 with
#           up to three checkpoints, the merged model), and 15 GB of phase 2; and the articles.
#   money   28 to 50 times the price of a GPU's hour for training, computed by the same commands; the servers' hours
#           times four.
#
#   bash recipes/llava-v1.5-13b/run.sh                # all of it, in this order; or some parts, by name:
#   bash recipes/llava-v1.5-13b/run.sh look           # what there is to fetch
#   bash recipes/llava-v1.5-13b/run.sh data           # needs the teacher's server
#   bash recipes/llava-v1.5-13b/run.sh plan train answers
#   bash recipes/llava-v1.5-13b/run.sh judge          # needs the judges' servers; for one at a time see JUDGES
#   bash recipes/llava-v1.5-13b/run.sh results publish
#
# Stop it at any moment, also by kill -9, and start it again: what is done is left alone, what was begun goes on. On a
# cluster give each part a job of its own. Run it in the folder of the checkout, with `ldrt` on the PATH.
#
# shellcheck disable=SC2086 # FETCH_OPTIONS, TRAIN_OPTIONS and ANSWER_OPTIONS are several words each
set -euo pipefail

# ---- what to change: here, or in the environment (STUDY=runs/mine bash …/run.sh) ----

STUDY=${STUDY:-runs/llava-v1.5-13b}             # folder of all that is made
CONTACT=${CONTACT:-}                            # your e-mail address: PMC and Europe PMC ask for one
DOMAIN=${DOMAIN:-recipes/domains/ldrt.yaml}     # what is searched for; any other domain is a file like it
FETCH_OPTIONS=${FETCH_OPTIONS:-}                # more of `ldrt fetch --help`, such as "--limit 500"
TEST_SIZE=${TEST_SIZE:-1574}                    # figures held out, as many as the paper has evaluation pairs

BASE=${BASE:-llava-hf/llava-1.5-13b-hf}
LAUNCH=${LAUNCH:-accelerate_configs/zero3.yaml} # the paper's; `plan` says which is faster
GPU=${GPU:-A40}
PRICE=${PRICE:-0}                               # of an hour of one GPU; the plan's last column is then money
TRAIN_OPTIONS=${TRAIN_OPTIONS:-}                # keys of both recipes, such as "--max_steps 100"
ANSWER_OPTIONS=${ANSWER_OPTIONS:-}              # more of `ldrt generate --help`, such as "--batch_size 4"

# vllm serve Qwen/Qwen2-72B-Instruct --tensor-parallel-size 4 --max-model-len 8192 --port 8000     (recipes/SERVING.md)
TEACHER=${TEACHER:-Qwen/Qwen2-72B-Instruct}
TEACHER_URL=${TEACHER_URL:-http://localhost:8000/v1}
# The paper's two, NAME=ADDRESS; give one alone where only one can be served at a time, then the other
JUDGES=${JUDGES:-Qwen/Qwen2-72B-Instruct=http://localhost:8000/v1 meta-llama/Llama-3.1-70B-Instruct=http://localhost:8001/v1}
CONCURRENCY=${CONCURRENCY:-64}                  # requests at once

MODEL_ID=${MODEL_ID:-my-org/llava-v1.5-13b-ldrt} # on the Hub; the dataset is MODEL_ID-data, the answers MODEL_ID-results
DRY_RUN=${DRY_RUN:-true}                        # false: send all of it to the Hub, after `hf auth login`

# ---- the study ----

recipe=recipes/llava-v1.5-13b
dataset=$STUDY/dataset
parts=" ${*:-data plan train answers judge results publish} "
for part in $parts; do
  [[ " look data plan train answers judge results publish " == *" $part "* ]] || {
    echo "run.sh: no part $part: look, data, plan, train, answers, judge, results, publish" >&2
    exit 2
  }
done
command -v ldrt >/dev/null || {
  echo "run.sh: there is no ldrt on the PATH: source .venv/bin/activate" >&2
  exit 2
}
[[ -n $CONTACT || ! $parts =~ \ (look|data)\  ]] || {
  echo "run.sh: set CONTACT to your e-mail address, which PMC and Europe PMC ask for: CONTACT=you@example.org bash …/run.sh" >&2
  exit 2
}
asked() { [[ $parts == *" $1 "* ]] && echo && echo "== $1"; }

if asked look; then
  ldrt fetch --domain "$DOMAIN" --output "$STUDY/articles" --contact "$CONTACT" $FETCH_OPTIONS --dry_run
fi

if asked data; then # articles -> figures with captions and context -> questions and answers
  # before you send anything: `ldrt screen` looks for names and faces in the pictures (docs/personal-data.md)
  ldrt fetch --domain "$DOMAIN" --output "$STUDY/articles" --contact "$CONTACT" $FETCH_OPTIONS
  ldrt build "$STUDY/articles" --output "$dataset" --domain "$DOMAIN" --test_size "$TEST_SIZE"
  ldrt instruct "$dataset" --domain "$DOMAIN" --teacher openai --model "$TEACHER" --base_url "$TEACHER_URL" \
    --concurrency "$CONCURRENCY"
  ldrt push "$dataset" "$MODEL_ID-data" --dry_run "$DRY_RUN"
fi

if asked plan; then # memory, hours and money of both phases, before they are spent
  for phase in phase1 phase2; do
    ldrt plan --config $recipe/$phase.yaml --accelerate "$LAUNCH" --gpu "$GPU" --price_per_gpu_hour "$PRICE" \
      --model_name_or_path "$BASE" --dataset_name "$dataset" $TRAIN_OPTIONS
  done
fi

if asked train; then # projector; then LoRA and projector; then one checkpoint of both
  ldrt train --launch "$LAUNCH" --config $recipe/phase1.yaml --model_name_or_path "$BASE" \
    --dataset_name "$dataset" --output_dir "$STUDY/phase1" $TRAIN_OPTIONS
  ldrt train --launch "$LAUNCH" --config $recipe/phase2.yaml --model_name_or_path "$STUDY/phase1" \
    --dataset_name "$dataset" --output_dir "$STUDY/phase2" $TRAIN_OPTIONS
  ldrt merge "$STUDY/phase2" --output "$STUDY/merged"
fi

if asked answers; then # of both models to the held-out questions; `shuffled`: does the tuned one look at the picture?
  ldrt generate --model "$BASE" --processor "$STUDY/merged" --dataset "$dataset" --output "$STUDY/runs/base" $ANSWER_OPTIONS
  ldrt generate --model "$STUDY/merged" --dataset "$dataset" --output "$STUDY/runs/tuned" $ANSWER_OPTIONS
  ldrt generate --model "$STUDY/merged" --dataset "$dataset" --output "$STUDY/runs/tuned" $ANSWER_OPTIONS \
    --image_condition shuffled
fi

if asked judge; then # every answer from 0 to 10, and the controls that say whether the judge can be trusted
  [[ -n ${JUDGES// /} ]] || echo 'nobody judges: JUDGES is empty, and the card will say "Not run"'
  for judge in $JUDGES; do
    for run in base tuned; do
      ldrt judge "$STUDY/runs/$run" --judge "${judge%%=*}" --base_url "${judge#*=}" --concurrency "$CONCURRENCY"
    done
  done
fi

if asked results; then # the card has the paper's 3.46 -> 5.26 beside this run's judge scores: "Beside the paper"
  ldrt score "$STUDY/runs/base"
  ldrt score "$STUDY/runs/tuned"
  ldrt compare "$STUDY/runs/base" "$STUDY/runs/tuned"
  ldrt card "$STUDY/runs/tuned" --repo_id "$MODEL_ID" --dataset_id "$MODEL_ID-data" --domain "$DOMAIN"
fi

if asked publish; then # dataset, answers and judgements, merged model and adapter, a collection of them
  ldrt publish --study "$STUDY" --repo_id "$MODEL_ID" --dry_run "$DRY_RUN"
  if [[ $DRY_RUN == false ]]; then # as anybody would: each number on the card made again, 20 answers given again
    ldrt verify "datasets/$MODEL_ID-data"
    ldrt verify "$MODEL_ID" --regenerate 20
  fi
fi
