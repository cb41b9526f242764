#!/usr/bin/env bash
# The whole study with SmolVLM-256M on one small GPU, without any server: from articles on the web to a published model.
#
#   hours   0.15 of training on an L4; computed by count, not measured: both phases, 10,000 rows of 620 tokens, by
#             ldrt plan --config recipes/smolvlm-256m/phase2.yaml --accelerate accelerate_configs/single_gpu.yaml \
#                 --gpu L4 --rows 10000 --tokens 620 --price_per_gpu_hour 1          (and the same with phase1.yaml)
#           Loading pictures is not counted in that, and will take longer than the arithmetic where cores are few.
#   GPU     1; training takes 2.2 GiB by count
#   disk    4 GB for models, computed: 0.26e9 parameters of 2 bytes, six times (the base model, phase 1 with up to three
#           checkpoints, the merged model), and 1 GB of phase 2; and the articles: 3,000 as set below,
#           `bash recipes/smolvlm-256m/run.sh look` says how many bytes they are before they come
#   money   0.15 times the price of a GPU's hour for training (the same commands); no LLM is asked as it stands
#
#   bash recipes/smolvlm-256m/run.sh                # all of it, in this order; or some parts, by name:
#   bash recipes/smolvlm-256m/run.sh look           # what there is to fetch
#   bash recipes/smolvlm-256m/run.sh data
#   bash recipes/smolvlm-256m/run.sh plan train answers
#   bash recipes/smolvlm-256m/run.sh judge results publish
#
# Stop it at any moment, also by kill -9, and start it again: what is done is left alone, what was begun goes on. Run it
# in the folder of the checkout, with `ldrt` on the PATH.
# A GPU without bfloat16 (T4, V100): TRAIN_OPTIONS="--bf16 false --fp16 true --dtype float32". No GPU:
# LAUNCH=accelerate_configs/cpu.yaml TRAIN_OPTIONS="--use_cpu true --bf16 false --dtype float32 --max_steps 200".
#
# shellcheck disable=SC2086 # FETCH_OPTIONS, TEACHER_OPTIONS, TRAIN_OPTIONS and ANSWER_OPTIONS are several words each
set -euo pipefail

# ---- what to change: here, or in the environment (STUDY=runs/mine bash …/run.sh) ----

STUDY=${STUDY:-runs/smolvlm-256m}               # folder of all that is made
CONTACT=${CONTACT:-}                            # your e-mail address: PMC and Europe PMC ask for one
DOMAIN=${DOMAIN:-recipes/domains/ldrt.yaml}     # what is searched for; any other domain is a file like it
FETCH_OPTIONS=${FETCH_OPTIONS:---limit 3000}    # more of `ldrt fetch --help`
TEST_SIZE=${TEST_SIZE:-500}                     # figures held out
TEACHER_OPTIONS=${TEACHER_OPTIONS:-}            # of `ldrt instruct --help`; nothing: sentences of the articles, offline

BASE=${BASE:-HuggingFaceTB/SmolVLM-256M-Instruct}
LAUNCH=${LAUNCH:-accelerate_configs/single_gpu.yaml}
GPU=${GPU:-L4}
PRICE=${PRICE:-0}                               # of an hour of the GPU; the plan's last column is then money
TRAIN_OPTIONS=${TRAIN_OPTIONS:-}                # keys of both recipes, such as "--max_steps 100"
ANSWER_OPTIONS=${ANSWER_OPTIONS:-}              # more of `ldrt generate --help`, such as "--batch_size 4"

# NAME=ADDRESS of each judge's server, such as Qwen/Qwen2-72B-Instruct=http://localhost:8000/v1 (recipes/SERVING.md).
# Without one the card says "not run", and the headline is ROUGE-L
JUDGES=${JUDGES:-}
CONCURRENCY=${CONCURRENCY:-16}                  # requests at once

MODEL_ID=${MODEL_ID:-my-org/smolvlm-256m-ldrt} # on the Hub; the dataset is MODEL_ID-data, the answers MODEL_ID-results
DRY_RUN=${DRY_RUN:-true}                        # false: send all of it to the Hub, after `hf auth login`

# ---- the study ----

recipe=recipes/smolvlm-256m
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
  ldrt instruct "$dataset" --domain "$DOMAIN" $TEACHER_OPTIONS
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

if asked results; then
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
