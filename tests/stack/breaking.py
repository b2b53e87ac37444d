"""Ways to break a penstock.yaml by hand. '§' stands where the complaint has to point, and is taken
out before the file is used."""

GOOD = """\
active: prod
orchestrators:
  kf:
    flavor: kubeflow
    host: "${env:KFP_HOST}"
    namespace: ml
artifact_stores:
  bucket: {flavor: s3, path: s3://b/penstock, options: [a, b]}
step_operators:
  gpu: {flavor: oven}
flavors:
  orchestrator: {mine: "my_pkg.orch:Mine"}
stacks:
  prod:
    orchestrator: kf
    artifact_store: bucket
    step_operators: [gpu]
    steps: {train: {retries: 2}}
"""

BROKEN = [
    # the punctuation of YAML
    ("    host:", "§\thost:"),
    ("    host:", "    §\thost:"),
    ("    namespace: ml", "    §namespace:ml"),
    ("    namespace: ml", "    §namespace ml"),
    ("    namespace: ml", "    namespace: ml§: x"),
    ("    namespace: ml", "      §namespace: ml"),
    ("    namespace: ml", "   §namespace: ml"),
    ("    namespace: ml", "    §- namespace: ml"),
    ("    namespace: ml", "    namespace: §@ml"),
    ("    namespace: ml", "    namespace: §`ml`"),
    ("    namespace: ml", "    namespace: §%ml"),
    ("    namespace: ml", "    namespace: §*ml"),
    ("    namespace: ml", "    namespace: §!ml x"),
    ("    namespace: ml", "    namespace: §!!python/name:os.system x"),
    ("    namespace: ml", "    namespace: §!!int ml"),
    ("    namespace: ml", "    namespace: |§x"),
    ("    namespace: ml", "    namespace: a\n    §namespace: b"),
    ("    namespace: ml", "    ? §[a]\n    : b"),
    ("    namespace: ml", "    §5: ml"),
    ("    namespace: ml", "    §null: ml"),
    ("    namespace: ml", "    §on and off\n    namespace: ml"),
    ("    namespace: ml", "    namespace: &a §*a"),
    ("    namespace: ml", '    namespace: "a" §b'),
    ("    namespace: ml", "    namespace: 'it'§s mine'"),
    ("    namespace: ml", '    namespace: "\\§q"'),
    ("    namespace: ml", '    namespace: "\\x§zz"'),
    ("    namespace: ml", "    namespace: §\x00"),
    ("    namespace: ml", "    namespace: a§\x1b[0m"),
    ('"${env:KFP_HOST}"', '§"${env:KFP_HOST}'),
    ('"${env:KFP_HOST}"', "§'${env:KFP_HOST}"),
    ('"${env:KFP_HOST}"', '"${env:KFP_HOST}"§"'),
    ('"${env:KFP_HOST}"', "§{a: b"),
    ("{flavor: oven}", "§{flavor: oven"),
    ("{flavor: oven}", "{flavor: oven}§}"),
    ("{flavor: oven}", "{flavor: oven§]"),
    ("{flavor: oven}", "{flavor: oven} §x"),
    ("[a, b]}", "[a, b§}"),
    ("{flavor: s3, path:", "{flavor: s3 path§:"),
    ('{mine: "my_pkg.orch:Mine"}', '{mine: §"my_pkg.orch:Mine}'),
    ("step_operators:\n", "§<<<<<<< ours\nstep_operators:\n"),
    ("step_operators:\n", "§=======\nstep_operators:\n"),
    ("step_operators:\n", "§>>>>>>> theirs\nstep_operators:\n"),
    ("step_operators:\n", "§---\nstep_operators:\n"),
    ("step_operators:\n", "§step_operators\n"),
    ("step_operators:\n", "§- step_operators:\n"),
    ("step_operators:\n", " §step_operators:\n"),
    ("stacks:\n", "§}\nstacks:\n"),
    # what a penstock.yaml may say
    ("active: prod", "active: §5"),
    ("active: prod", "active: §[prod]"),
    ("active: prod", "active: §'a b'"),
    ("active: prod", "§activ: prod"),
    ("artifact_stores:\n", "§artifact_store:\n"),
    ("  kf:\n", "  kf: §oven\n  x:\n"),
    ("  kf:\n    flavor: kubeflow\n", "  §kf:\n"),
    ("    host:", "      host§:"),
    ("{flavor: oven}", "{\n    flavor: oven,\n    a: b\n    c§: d\n  }"),
    ("{flavor: oven}", "[{flavor: oven}, {flavor: oven§]"),
    ("    flavor: kubeflow", "    flavor: §[kubeflow]"),
    ("  kf:\n", "  §'k f':\n"),
    ("  kf:\n", "  §default:\n"),
    ("  gpu: {", "  gpu: {flavor: x}\n  §gpu: {"),
    ("    orchestrator: kf", "    orchestrator: §fk"),
    ("    orchestrator: kf", "    §orchestrater: kf"),
    ("[gpu]", "§gpu"),
    ("[gpu]", "[gpu, §gpo]"),
    ("{retries: 2}", "{retries: §-1}"),
    ("{retries: 2}", "{§retrys: 2}"),
    ('"my_pkg.orch:Mine"', '§"my_pkg.orch"'),
    ("  orchestrator: {mine", "  §orchestrators: {mine"),
]
